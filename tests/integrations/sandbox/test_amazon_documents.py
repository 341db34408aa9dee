"""Reports and feeds: their lives, their files, and the addresses these lie at (amazon sheet §2b, §5)."""

import gzip
import json

import pytest

from tests.integrations.sandbox.amazon_seller import (
    JAPAN,
    SELLER,
    assert_fits,
    open_shop,
    setting,
)

REPORTS, FEEDS = "/reports/2021-06-30", "/feeds/2021-06-30"
LISTINGS = {"reportType": "GET_MERCHANT_LISTINGS_ALL_DATA", "marketplaceIds": [JAPAN]}
AS_JSON = "application/json; charset=UTF-8"


@pytest.fixture
async def seller():
    seller = await open_shop()
    yield seller
    await seller.client.aclose()


async def asks(seller, **more):
    answer = await seller.call("POST", f"{REPORTS}/reports", json=LISTINGS | more)
    assert answer.status_code == 202, answer.text
    assert_fits("reports_2021-06-30", "CreateReportResponse", answer.json())
    return answer.json()["reportId"]


async def report(seller, name):
    answer = await seller.call("GET", f"{REPORTS}/reports/{name}")
    assert_fits("reports_2021-06-30", "Report", answer.json())
    return answer.json()


async def download(seller, path, model, definition):
    answer = await seller.call("GET", path)
    assert_fits(model, definition, answer.json())
    fetched = await seller.client.get(answer.json()["url"])
    assert fetched.status_code == 200
    zipped = answer.json().get("compressionAlgorithm") == "GZIP"
    return gzip.decompress(fetched.content) if zipped else fetched.content


async def listings_file(seller, **more):
    name = await asks(seller, **more)
    seller.hand.move(seconds=30)
    document = (await report(seller, name))["reportDocumentId"]
    return await download(
        seller, f"{REPORTS}/documents/{document}", "reports_2021-06-30", "ReportDocument"
    )


def table(text):
    header, *lines = [line.split("\t") for line in text.removesuffix("\r\n").split("\r\n")]
    return [dict(zip(header, line, strict=True)) for line in lines]


async def test_the_life_of_a_report(seller):
    await seller.lists("MUG", quantity=3)
    name = await asks(seller)
    states = []
    for seconds in (0, 2, 28):
        seller.hand.move(seconds=seconds)
        states.append((await report(seller, name))["processingStatus"])
    assert states == ["IN_QUEUE", "IN_PROGRESS", "DONE"]


async def test_a_report_of_nothing_is_cancelled(seller):
    name = await asks(seller)
    seller.hand.move(seconds=30)
    done = await report(seller, name)
    assert done["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in done


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_the_japanese_file(seller, encoding):
    await seller.control("POST", "settings", settings={"report_encoding": encoding})
    await seller.lists("MUG", name="マグ\tカップ", quantity=3, attributes={"price": 1200})
    await seller.lists("FBA", quantity=9, attributes={"fulfillment_channel_code": "AMAZON_JP"})
    rows = {row["出品者SKU"]: row for row in table((await listings_file(seller)).decode(encoding))}
    mug, fba = rows["MUG"], rows["FBA"]
    assert (mug["商品名"], mug["価格"], mug["数量"]) == ("マグ カップ", "1200", "3")
    assert (mug["在庫数"], mug["フルフィルメント・チャンネル"]) == ("0", "DEFAULT")
    assert (fba["数量"], fba["フルフィルメント・チャンネル"]) == ("", "AMAZON_JP")


async def test_the_english_file_zipped(seller):
    await seller.control("POST", "settings", settings={"gzip_documents": True})
    await seller.lists("MUG", "GONE", quantity=3, attributes={"asin": "B00MUG"})
    await seller.control("POST", "stock", item_code="GONE", quantity=0)
    options = {"preferredReportDocumentLocale": "en_US"}
    text = (await listings_file(seller, reportOptions=options)).decode("utf-8")
    gone, mug = table(text)
    assert len(gone) == 29
    assert (mug["seller-sku"], mug["quantity"], mug["asin1"]) == ("MUG", "3", "B00MUG")
    assert (mug["status"], gone["status"]) == ("Active", "Inactive")


async def test_an_earlier_file_is_given_again_for_an_hour_in_its_own_language(seller):
    await seller.lists("MUG", quantity=3)
    first = await listings_file(seller)
    await seller.control("POST", "stock", item_code="MUG", quantity=4)
    seller.hand.move(minutes=50)
    options = {"preferredReportDocumentLocale": "en_US"}
    assert await listings_file(seller, reportOptions=options) == first
    seller.hand.move(minutes=10)
    await seller.sign_in()
    later = await listings_file(seller, reportOptions=options)
    assert [row["quantity"] for row in table(later.decode())] == ["4"]


async def test_more_than_a_thousand_listings(seller):
    await seller.lists(*(f"S{n:04}" for n in range(1200)))
    assert len(table((await listings_file(seller)).decode())) == 1200


async def test_what_reports_refuse(seller):
    for body in ({}, LISTINGS | {"reportType": "GET_ORDERS"}, LISTINGS | {"reportOptions": [1]}):
        answer = await seller.call("POST", f"{REPORTS}/reports", json=body)
        assert_fits("reports_2021-06-30", "ErrorList", answer.json())
        assert answer.status_code == 400
    for path in ("reports/1", "documents/amzn1.spdoc.none"):
        assert (await seller.call("GET", f"{REPORTS}/{path}")).status_code == 404


async def test_an_address_dies_after_five_minutes(seller):
    await seller.lists("MUG")
    name = await asks(seller)
    seller.hand.move(seconds=30)
    document = (await report(seller, name))["reportDocumentId"]
    url = (await seller.call("GET", f"{REPORTS}/documents/{document}")).json()["url"]
    seller.hand.move(minutes=5)
    answer = await seller.client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/xml")


def a_feed(*messages, **header):
    header = {"sellerId": SELLER, "version": "2.0", "issueLocale": "ja_JP"} | header
    return json.dumps({"header": header, "messages": list(messages)}).encode()


def a_message(number, sku, **changes):
    message = {"messageId": number, "sku": sku, "operationType": "PATCH"}
    return message | {"productType": "PRODUCT", "patches": [setting(7)]} | changes


async def sends(seller, content, feed_type="JSON_LISTINGS_FEED"):
    made = await seller.call("POST", f"{FEEDS}/documents", json={"contentType": AS_JSON})
    assert made.status_code == 201
    assert_fits("feeds_2021-06-30", "CreateFeedDocumentResponse", made.json())
    headers = {"content-type": AS_JSON}
    put = await seller.client.put(made.json()["url"], content=content, headers=headers)
    assert put.status_code == 200
    body = {"feedType": feed_type, "marketplaceIds": [JAPAN]}
    body["inputFeedDocumentId"] = made.json()["feedDocumentId"]
    return await seller.call("POST", f"{FEEDS}/feeds", json=body)


async def feed(seller, name):
    answer = await seller.call("GET", f"{FEEDS}/feeds/{name}")
    assert_fits("feeds_2021-06-30", "Feed", answer.json())
    return answer.json()


async def ended(seller, content, feed_type="JSON_LISTINGS_FEED"):
    """The feed when it is over, and its processing report."""
    made = await sends(seller, content, feed_type)
    assert made.status_code == 202, made.text
    seller.hand.move(minutes=2)
    over = await feed(seller, made.json()["feedId"])
    path = f"{FEEDS}/documents/{over['resultFeedDocumentId']}"
    result = json.loads(await download(seller, path, "feeds_2021-06-30", "FeedDocument"))
    assert_fits("listings-feed-processing-report-schema-v2", None, result)
    return over, result


async def test_a_feed_is_queued_processed_and_done(seller):
    await seller.lists("MUG", quantity=3)
    content = a_feed(a_message(1, "MUG"))
    assert_fits("listings-feed-schema-v2", None, json.loads(content))
    name = (await sends(seller, content)).json()["feedId"]
    states = []
    for seconds in (0, 5, 114, 1):
        seller.hand.move(seconds=seconds)
        states.append(((await feed(seller, name))["processingStatus"], await seller.counter("MUG")))
    assert states == [("IN_QUEUE", 3), ("IN_PROGRESS", 3), ("IN_PROGRESS", 3), ("DONE", 7)]


async def test_done_is_not_success(seller):
    await seller.lists("MUG", "CUP", "TEA", quantity=3)
    await seller.control("POST", "faults", kind="partial", items=["TEA"])
    wrong = [setting(7) | {"path": "/attributes/quantity"}]
    over, result = await ended(
        seller,
        a_feed(
            a_message(1, "MUG"),
            a_message(2, "CUP", patches=wrong),
            a_message(3, "TEA"),
            a_message(4, "CUP", operationType="DELETE"),
        ),
    )
    assert over["processingStatus"] == "DONE"
    assert [(i["messageId"], i["sku"]) for i in result["issues"]] == [
        (2, "CUP"),
        (3, "TEA"),
        (4, "CUP"),
    ]
    assert result["summary"] == {
        "errors": 3,
        "warnings": 0,
        "messagesProcessed": 4,
        "messagesAccepted": 1,
        "messagesInvalid": 3,
    }
    assert [await seller.counter(sku) for sku in ("MUG", "CUP", "TEA")] == [7, 3, 3]


async def test_a_partial_update_is_a_replace(seller):
    await seller.lists("MUG", quantity=3, attributes={"lead_time_to_ship_max_days": 2})
    attributes = {"fulfillment_availability": setting(7)["value"]}
    message = a_message(1, "MUG", operationType="PARTIAL_UPDATE", attributes=attributes)
    await ended(seller, a_feed(message))
    (row,) = (await seller.item("MUG", "attributes")).json()["attributes"][
        "fulfillment_availability"
    ]
    assert (row["quantity"], "lead_time_to_ship_max_days" in row) == (7, False)


async def test_a_stuck_feed_ends_when_it_is_let_go(seller):
    await seller.lists("MUG", quantity=3)
    await seller.control("POST", "faults", kind="stuck")
    name = (await sends(seller, a_feed(a_message(1, "MUG")))).json()["feedId"]
    seller.hand.move(minutes=30)
    stuck = await feed(seller, name)
    assert (stuck["processingStatus"], await seller.counter("MUG")) == ("IN_PROGRESS", 3)
    await seller.control("DELETE", "faults")
    done = await feed(seller, name)
    assert (done["processingStatus"], await seller.counter("MUG")) == ("DONE", 7)
    path = f"{FEEDS}/documents/{done['resultFeedDocumentId']}"
    result = json.loads(await download(seller, path, "feeds_2021-06-30", "FeedDocument"))
    assert result["summary"]["messagesAccepted"] == 1


async def test_a_feed_that_is_broken_off_has_applied_a_part(seller):
    await seller.lists("MUG", "CUP", quantity=3)
    await seller.control("POST", "faults", kind="fatal", calls=1)
    over, result = await ended(seller, a_feed(a_message(1, "MUG"), a_message(2, "CUP")))
    assert over["processingStatus"] == "FATAL"
    assert [issue.keys() for issue in result["issues"]] == [{"code", "severity", "message"}]
    assert [await seller.counter(sku) for sku in ("MUG", "CUP")] == [7, 3]


@pytest.mark.parametrize(
    ("case", "content", "feed_type"),
    [
        ("no JSON", b"sku\tquantity", "JSON_LISTINGS_FEED"),
        ("another seller", a_feed(a_message(1, "MUG"), sellerId="A2"), "JSON_LISTINGS_FEED"),
        ("an old version", a_feed(a_message(1, "MUG"), version="1.0"), "JSON_LISTINGS_FEED"),
        ("no messages", a_feed(), "JSON_LISTINGS_FEED"),
        (
            "too large",
            a_feed(a_message(1, "MUG", note="x" * 10 * 1024 * 1024)),
            "JSON_LISTINGS_FEED",
        ),
        ("too many", a_feed(*[a_message(1, "MUG")] * 25_001), "JSON_LISTINGS_FEED"),
        ("a nameless message", a_feed({"messageId": 1}), "JSON_LISTINGS_FEED"),
        ("XML", a_feed(a_message(1, "MUG")), "POST_INVENTORY_AVAILABILITY_DATA"),
    ],
)
async def test_a_fault_of_the_whole_file_is_fatal_and_names_no_message(
    seller, case, content, feed_type
):
    await seller.lists("MUG", quantity=3)
    over, result = await ended(seller, content, feed_type)
    assert over["processingStatus"] == "FATAL", case
    assert [issue.keys() for issue in result["issues"]] == [{"code", "severity", "message"}]
    assert await seller.counter("MUG") == 3


async def test_five_feeds_in_five_minutes(seller):
    answers = [await sends(seller, a_feed(a_message(1, "MUG"))) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]


async def test_a_put_of_another_type_is_denied(seller):
    made = await seller.call("POST", f"{FEEDS}/documents", json={"contentType": AS_JSON})
    headers = {"content-type": "text/plain"}
    answer = await seller.client.put(made.json()["url"], content=b"{}", headers=headers)
    assert answer.status_code == 403
