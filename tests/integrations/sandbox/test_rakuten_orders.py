"""Rakuten's order and item APIs as its fact sheet tells them (§4, §5, §8)."""

import pytest

from tests.integrations.sandbox.rakuten_shop import open_rakuten, search
from tests.integrations.sandbox.rig import item

SEARCH = "ORDER_EXT_API_SEARCH_ORDER_"
GET = "ORDER_EXT_API_GET_ORDER_"


@pytest.fixture
async def shop():
    shop = await open_rakuten()
    await shop.rig.has(tee__m=50, mug__mug=50)
    yield shop
    await shop.rig.client.aclose()


async def detail(shop, *numbers, version=8):
    answer = await shop.order("getOrder", {"orderNumberList": list(numbers), "version": version})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lines(shop, number):
    (order,) = (await detail(shop, number))["OrderModelList"]
    return order["PackageModelList"][0]["ItemModelList"]


async def test_an_order_is_found_by_the_time_it_was_placed(shop):
    order = await shop.rig.buys("tee", 2, "m")
    answer = (await shop.order("searchOrder", search())).json()
    assert order["number"] == "345678-20261201-0000000001"
    assert answer["orderNumberList"] == [order["number"]]
    assert answer["MessageModelList"][0]["messageCode"] == f"{SEARCH}INFO_101"
    assert answer["PaginationResponseModel"] == {
        "totalRecordsAmount": 1,
        "totalPages": 1,
        "requestPage": 1,
    }


async def test_nothing_found_has_no_pages(shop):
    answer = (await shop.order("searchOrder", search())).json()
    assert answer["orderNumberList"] == []
    assert answer["MessageModelList"][0]["messageCode"] == f"{SEARCH}INFO_102"
    assert answer["PaginationResponseModel"] is None


@pytest.mark.parametrize(
    ("case", "changes", "error"),
    [
        ("no date type", {"dateType": None}, "ERROR_009"),
        ("no start", {"startDatetime": None}, "ERROR_009"),
        ("a colon in the zone", {"startDatetime": "2026-12-01T00:00:00+09:00"}, "ERROR_011"),
        ("another zone", {"startDatetime": "2026-12-01T00:00:00+0000"}, "ERROR_011"),
        ("no such day", {"startDatetime": "2026-11-31T00:00:00+0900"}, "ERROR_011"),
        ("64 days", {"startDatetime": "2026-09-28T00:00:00+0900"}, "ERROR_011"),
        (
            "older than 730 days",
            {
                "startDatetime": "2024-11-30T00:00:00+0900",
                "endDatetime": "2024-12-01T00:00:00+0900",
            },
            "ERROR_011",
        ),
        ("a page of 1001", {"PaginationRequestModel": {"requestRecordsAmount": 1001}}, "ERROR_011"),
        ("beyond 15,000", {"PaginationRequestModel": {"requestPage": 16_000}}, "ERROR_011"),
    ],
)
async def test_how_a_search_is_refused(shop, case, changes, error):
    answer = await shop.order("searchOrder", search(**changes))
    assert answer.status_code == 400, case
    assert answer.json()["orderNumberList"] is None, case
    (said,) = answer.json()["MessageModelList"]
    assert (said["messageType"], said["messageCode"]) == ("ERROR", SEARCH + error), case


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=UTF-8", 200),
        ("application/json", 415),
        ("text/plain; charset=utf-8", 415),
    ],
)
async def test_the_order_api_wants_its_charset(shop, content_type, status):
    answer = await shop.order("searchOrder", search(), content_type)
    assert answer.status_code == status
    assert (status == 200) or answer.json()["Results"]["errorCode"] == "ES04-03"


async def test_pages_walk_oldest_first_or_newest_first(shop):
    numbers = []
    for _ in range(3):
        numbers.append((await shop.rig.buys("tee", 1, "m"))["number"])
        shop.hand.move(seconds=1)
    pages = [{"requestRecordsAmount": 2, "requestPage": page} for page in (1, 2)]
    walked = [
        (await shop.order("searchOrder", search(PaginationRequestModel=page))).json()
        for page in pages
    ]
    newest = {"requestRecordsAmount": 1, "SortModelList": [{"sortColumn": 1, "sortDirection": 2}]}
    first = await shop.order("searchOrder", search(PaginationRequestModel=newest))
    assert [page["orderNumberList"] for page in walked] == [numbers[:2], numbers[2:]]
    assert walked[0]["PaginationResponseModel"]["totalPages"] == 2
    assert first.json()["orderNumberList"] == numbers[2:]


async def test_a_search_by_status(shop):
    await shop.rig.buys("tee", 1, "m")
    moved = await shop.rig.buys("tee", 1, "m")
    await shop.rig.control("POST", "status", number=moved["number"], status="300")
    answer = await shop.order("searchOrder", search(orderProgressList=[300]))
    assert answer.json()["orderNumberList"] == [moved["number"]]


async def test_a_purchase_lowers_the_counter_before_the_list_shows_it():
    shop = await open_rakuten(speed=1, order_delay=60, limits=False)
    await shop.rig.has(tee__m=5)
    order = await shop.rig.buys("tee", 2, "m")
    hidden = (await shop.order("searchOrder", search())).json()
    assert await shop.rig.counters() == {"tee:m": 3}
    assert hidden["orderNumberList"] == []
    assert (await detail(shop, order["number"]))["OrderModelList"] == []
    shop.hand.move(seconds=60)
    listed = (await shop.order("searchOrder", search())).json()
    assert listed["orderNumberList"] == [order["number"]]
    await shop.rig.client.aclose()


async def test_the_detail_of_an_order(shop):
    order = await shop.rig.buys("tee", 2, "m")
    answer = await detail(shop, order["number"])
    (shown,) = answer["OrderModelList"]
    (line,) = shown["PackageModelList"][0]["ItemModelList"]
    assert answer["MessageModelList"][0]["messageCode"] == f"{GET}INFO_101"
    assert (shown["orderNumber"], shown["orderProgress"]) == (order["number"], 100)
    assert shown["orderDatetime"] == "2026-12-01T12:00:00+0900"
    assert (line["manageNumber"], line["units"], line["deleteItemFlag"]) == ("tee", 2, 0)
    assert line["SkuModelList"][0]["variantId"] == "m"


async def test_skus_are_shown_from_version_7_on(shop):
    order = await shop.rig.buys("tee", 1, "m")
    answer = await detail(shop, order["number"], version=6)
    (line,) = answer["OrderModelList"][0]["PackageModelList"][0]["ItemModelList"]
    assert "SkuModelList" not in line


@pytest.mark.parametrize(
    ("case", "body", "error"),
    [
        ("no version", {"orderNumberList": ["1"]}, "ERROR_009"),
        ("version 2", {"orderNumberList": ["1"], "version": 2}, "ERROR_011"),
        ("no numbers", {"version": 8}, "ERROR_009"),
        ("101 numbers", {"orderNumberList": ["1"] * 101, "version": 8}, "ERROR_011"),
    ],
)
async def test_how_a_detail_is_refused(shop, case, body, error):
    answer = await shop.order("getOrder", body)
    assert answer.status_code == 400, case
    assert answer.json()["MessageModelList"][0]["messageCode"] == GET + error, case


async def test_an_error_may_ride_on_a_200(shop):
    await shop.rig.goes_wrong("spurious", code=f"{SEARCH}ERROR_001", calls=1)
    answer = await shop.order("searchOrder", search())
    assert answer.status_code == 200
    assert answer.json()["MessageModelList"][0]["messageType"] == "ERROR"


@pytest.mark.parametrize(
    ("case", "setting", "said", "counter"),
    [
        ("the item returns stock", True, {}, 50),
        ("the item does not", False, {}, 48),
        ("the cancel says return", False, {"restock": True}, 50),
        ("the cancel says do not", True, {"restock": False}, 48),
    ],
)
async def test_a_cancel_and_the_counter(shop, case, setting, said, counter):
    tee = item("tee", "m", quantity=50, attributes={"restock_on_cancel": setting})
    await shop.rig.control("PUT", "items", items=[tee])
    order = await shop.rig.buys("tee", 2, "m")
    await shop.rig.control("POST", "cancel", number=order["number"], **said)
    (shown,) = (await detail(shop, order["number"]))["OrderModelList"]
    assert shown["orderProgress"] == 900, case
    assert (await shop.rig.counters())["tee:m"] == counter, case


async def test_cut_units_and_a_removed_line(shop):
    wanted = [
        {"item_code": code, "variant_code": v, "quantity": 3}
        for code, v in (("tee", "m"), ("mug", "mug"))
    ]
    order = await shop.rig.control("POST", "purchase", lines=wanted)
    for code, variant, by in (("tee", "m", 1), ("mug", "mug", 3)):
        cut = {"number": order["number"], "item_code": code, "variant_code": variant, "by": by}
        await shop.rig.control("POST", "cut", **cut)
    shown = [(line["units"], line["deleteItemFlag"]) for line in await lines(shop, order["number"])]
    assert shown == [(2, 0), (3, 1)]


async def test_the_catalogue_is_walked_by_cursor_without_quantities(shop):
    await shop.rig.control("PUT", "items", items=[item(f"i{n}", f"v{n}") for n in range(5)])
    cursor, seen = "*", []
    while True:
        path = f"2.0/items/search?hits=3&cursorMark={cursor}"
        answer = (await shop.call("GET", path)).json()
        seen += [result["item"]["manageNumber"] for result in answer["results"]]
        if answer["nextCursorMark"] == cursor:
            break
        cursor = answer["nextCursorMark"]
    assert seen == ["i0", "i1", "i2", "i3", "i4", "mug", "tee"]
    assert "quantity" not in str(answer)


async def test_an_item_with_its_variants(shop):
    skus = [
        item("tee", "m", attributes={"merchant_sku": "T-M", "restock_on_cancel": True}),
        item("tee", "L", attributes={"overdraft": True}),
    ]
    await shop.rig.control("PUT", "items", items=skus)
    shown = (await shop.call("GET", "2.0/items/manage-numbers/TEE")).json()
    found = (await shop.call("GET", "2.0/items/search?merchantDefinedSkuId=T-M")).json()
    flags = {v: (s["restockOnCancel"], s["backOrderFlag"]) for v, s in shown["variants"].items()}
    assert shown["manageNumber"] == "tee"
    assert flags == {"m": (True, False), "L": (False, True)}
    assert [result["item"] for result in found["results"]] == [shown]
    assert (await shop.call("GET", "2.0/items/manage-numbers/none")).status_code == 404
