"""Listings Items: what is accepted, when it is applied, what reads show (amazon sheet §2, §3)."""

import asyncio

import pytest

from tests.integrations.sandbox.amazon_seller import (
    JAPAN,
    SELLER,
    assert_fits,
    open_shop,
    setting,
    shown,
)

MODEL = "listingsItems_2021-08-01"
ITEMS = f"/listings/2021-08-01/items/{SELLER}"


@pytest.fixture
async def seller():
    seller = await open_shop()
    yield seller
    await seller.client.aclose()


async def availability(seller, sku):
    answer = await seller.item(sku, "fulfillmentAvailability")
    assert_fits(MODEL, "Item", answer.json())
    return answer.json()["fulfillmentAvailability"]


async def rows(seller, sku):
    answer = await seller.item(sku, "attributes")
    return answer.json()["attributes"]["fulfillment_availability"]


async def test_an_accepted_patch_is_applied_a_minute_later(seller):
    await seller.lists("TEE-001-M", quantity=3)
    answer = await seller.patch("TEE-001-M", setting(7))
    assert_fits(MODEL, "ListingsItemSubmissionResponse", answer.json())
    assert (answer.status_code, answer.json()["status"]) == (200, "ACCEPTED")

    seller.hand.move(seconds=59)
    assert await availability(seller, "TEE-001-M") == [
        {"fulfillmentChannelCode": "DEFAULT", "quantity": 3}
    ]
    seller.hand.move(seconds=1)
    assert await availability(seller, "TEE-001-M") == [
        {"fulfillmentChannelCode": "DEFAULT", "quantity": 7}
    ]


async def test_a_sale_while_the_patch_is_queued_is_overwritten_by_it(seller):
    await seller.lists("MUG", quantity=5)
    await seller.patch("MUG", setting(5))
    await seller.sells("MUG", 2)
    assert await seller.counter("MUG") == 3
    seller.hand.move(minutes=1)
    assert await seller.counter("MUG") == 5


async def test_merge_keeps_and_replace_loses_the_siblings(seller):
    held = {"lead_time_to_ship_max_days": 2, "restock_date": "2027-01-01"}
    await seller.lists("MUG", "CUP", quantity=3, attributes=held)
    await seller.patch("MUG", setting(7))
    await seller.patch("CUP", setting(7, op="replace"))
    seller.hand.move(minutes=1)
    row = {"fulfillment_channel_code": "DEFAULT", "quantity": 7, "marketplace_id": JAPAN}
    assert await rows(seller, "MUG") == [row | held]
    assert await rows(seller, "CUP") == [row]


async def test_a_preview_applies_nothing(seller):
    await seller.lists("MUG", quantity=3)
    answer = await seller.patch("MUG", setting(7), mode="VALIDATION_PREVIEW")
    assert answer.json()["status"] == "VALID"
    seller.hand.move(minutes=1)
    assert await seller.counter("MUG") == 3


@pytest.mark.parametrize("mode", ["", "VALIDATION_PREVIEW"])
async def test_an_invalid_patch_is_a_200_that_applies_nothing(seller, mode):
    await seller.lists("MUG", quantity=3)
    wrong = setting(7) | {"path": "/attributes/fulfillmentAvailability"}
    answer = await seller.patch("MUG", wrong, **({"mode": mode} if mode else {}))
    assert_fits(MODEL, "ListingsItemSubmissionResponse", answer.json())
    assert (answer.status_code, answer.json()["status"]) == (200, "INVALID")
    assert answer.json()["issues"][0] == {
        "code": "90000900",
        "message": "The attributes are invalid.",
        "severity": "ERROR",
        "attributeNames": ["fulfillmentAvailability"],
        "categories": ["INVALID_ATTRIBUTE"],
    }
    seller.hand.move(minutes=1)
    assert await seller.counter("MUG") == 3


@pytest.mark.parametrize(
    ("case", "path", "sent", "status", "code"),
    [
        ("no JSON", f"{ITEMS}/MUG", {"content": b"{"}, 400, "InvalidInput"),
        ("a list", f"{ITEMS}/MUG", {"json": []}, 400, "InvalidInput"),
        ("a form", f"{ITEMS}/MUG", {"data": {"a": "b"}}, 415, "UnsupportedMediaType"),
        ("too long", f"{ITEMS}/MUG", {"content": b" " * 2**20 + b"{}"}, 413, "PayloadTooLarge"),
        ("another's", "/listings/2021-08-01/items/A2OTHER/MUG", {"json": {}}, 403, "Unauthorized"),
        ("a bare slash", f"{ITEMS}/A/B", {"json": {}}, 403, "Unauthorized"),
    ],
)
async def test_how_a_patch_is_refused(seller, case, path, sent, status, code):
    headers = {"content-type": "application/json"} if "content" in sent else {}
    params = {"marketplaceIds": JAPAN}
    answer = await seller.call("PATCH", path, params=params, headers=headers, **sent)
    assert_fits(MODEL, "ErrorList", answer.json())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), case


async def test_the_marketplace_is_asked_for(seller):
    await seller.lists("MUG")
    for params in ({}, {"marketplaceIds": "ATVPDKIKX0DER"}):
        answer = await seller.call("GET", f"{ITEMS}/MUG", params=params)
        assert answer.status_code == 400


async def test_a_sku_with_a_slash_is_reached_when_it_is_encoded(seller):
    await seller.lists("DE/36 #1", quantity=3)
    assert (await seller.patch("DE/36 #1", setting(7))).json()["sku"] == "DE/36 #1"
    seller.hand.move(minutes=1)
    assert await seller.counter("DE/36 #1") == 7


async def test_an_unknown_sku_is_accepted_and_leaves_an_incomplete_listing(seller):
    assert (await seller.item("GHOST")).status_code == 404
    assert (await seller.patch("GHOST", setting(7))).json()["status"] == "ACCEPTED"
    seller.hand.move(minutes=1)
    item = (await seller.item("GHOST")).json()
    assert_fits(MODEL, "Item", item)
    assert item["summaries"][0]["status"] == []
    assert [issue["severity"] for issue in item["issues"]] == ["ERROR"]


@pytest.mark.parametrize(
    ("op", "after"),
    [
        ("merge", [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}]),
        (
            "replace",
            [
                {"fulfillmentChannelCode": "DEFAULT", "quantity": 7},
                {"fulfillmentChannelCode": "AMAZON_JP"},
            ],
        ),
    ],
)
async def test_a_write_flips_an_fba_listing(seller, op, after):
    await seller.lists("FBA", quantity=30, attributes={"fulfillment_channel_code": "AMAZON_JP"})
    assert await availability(seller, "FBA") == [{"fulfillmentChannelCode": "AMAZON_JP"}]
    await seller.patch("FBA", setting(7, op=op))
    seller.hand.move(minutes=1)
    assert await availability(seller, "FBA") == after


async def test_a_named_item_is_refused_by_the_fault(seller):
    await seller.lists("MUG", "CUP", quantity=3)
    await seller.control("POST", "faults", kind="partial", items=["MUG"])
    assert (await seller.patch("MUG", setting(7))).json()["status"] == "INVALID"
    assert (await seller.patch("CUP", setting(7))).json()["status"] == "ACCEPTED"
    seller.hand.move(minutes=1)
    assert (await seller.counter("MUG"), await seller.counter("CUP")) == (3, 7)


async def test_accepted_and_never_applied(seller):
    await seller.lists("MUG", quantity=3)
    await seller.control("POST", "faults", kind="not_applied", calls=1)
    assert (await seller.patch("MUG", setting(7))).json()["status"] == "ACCEPTED"
    seller.hand.move(minutes=5)
    assert await seller.counter("MUG") == 3


async def test_a_timeout_after_the_write_leaves_it_written(seller):
    await seller.lists("MUG", quantity=3)
    await seller.control("POST", "faults", kind="no_answer", calls=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await seller.patch("MUG", setting(7))
    assert (await seller.patch("MUG", setting(7))).json()["status"] == "ACCEPTED"
    seller.hand.move(minutes=1)
    assert await seller.counter("MUG") == 7


async def test_the_sixth_patch_at_once_is_too_many(seller):
    await seller.lists("MUG")
    answers = [await seller.patch("MUG", setting(n)) for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert_fits(MODEL, "ErrorList", answers[-1].json())


async def search(seller, **params):
    answer = await seller.call("GET", ITEMS, params={"marketplaceIds": JAPAN} | params)
    assert answer.status_code == 200, answer.text
    assert_fits(MODEL, "ItemSearchResults", answer.json())
    return answer.json()


async def test_search_by_sku(seller):
    await seller.lists("MUG", "CUP", "TEA")
    found = await search(seller, identifiers="MUG,TEA,GONE", identifiersType="SKU", sortBy="sku")
    assert [item["sku"] for item in found["items"]] == ["TEA", "MUG"]
    assert found["numberOfResults"] == 2
    assert "nextToken" not in found["pagination"]


@pytest.mark.parametrize(
    ("case", "params"),
    [
        ("identifiers without a type", {"identifiers": "MUG"}),
        ("a type without identifiers", {"identifiersType": "SKU"}),
        ("too many identifiers", {"identifiers": ",".join("abcdefghijklmnopqrstu"), "identifiersType": "SKU"}),
        ("too large a page", {"pageSize": 21}),
        ("an unknown data set", {"includedData": "secrets"}),
        ("a token of nobody", {"pageToken": "abc"}),
        ("a time that is none", {"lastUpdatedAfter": "yesterday"}),
    ],
)  # fmt: skip
async def test_how_a_search_is_refused(seller, case, params):
    answer = await seller.call("GET", ITEMS, params={"marketplaceIds": JAPAN} | params)
    assert_fits(MODEL, "ErrorList", answer.json())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "InvalidInput"), case


async def test_pages_of_a_search_and_their_way_back(seller):
    await seller.lists(*(f"S{n:02}" for n in range(25)))
    question = {"sortBy": "sku", "sortOrder": "ASC", "pageSize": 20}
    first = await search(seller, **question)
    second = await search(seller, **question, pageToken=first["pagination"]["nextToken"])
    back = await search(seller, **question, pageToken=second["pagination"]["previousToken"])
    assert [len(page["items"]) for page in (first, second)] == [20, 5]
    assert second["items"][0]["sku"] == "S20"
    assert back["items"] == first["items"]
    stolen = {"sortBy": "createdDate", "pageToken": first["pagination"]["nextToken"]}
    answer = await seller.call("GET", ITEMS, params={"marketplaceIds": JAPAN} | stolen)
    assert answer.status_code == 400


async def test_paging_stops_at_a_thousand_items(seller):
    await seller.control("POST", "settings", settings={"limits": False})
    await seller.lists(*(f"S{n:04}" for n in range(1005)))
    seen, token = [], {}
    while True:
        page = await search(seller, pageSize=20, **token)
        seen += [item["sku"] for item in page["items"]]
        if "nextToken" not in page["pagination"]:
            break
        token = {"pageToken": page["pagination"]["nextToken"]}
    assert page["numberOfResults"] == 1005
    assert len(set(seen)) == len(seen) == 1000


async def test_search_by_change(seller):
    await seller.lists("OLD", "NEW", quantity=1)
    seller.hand.move(minutes=1)
    since = shown(seller.hand.at)
    await seller.control("POST", "stock", item_code="NEW", quantity=2)
    found = await search(seller, lastUpdatedAfter=since)
    assert [item["sku"] for item in found["items"]] == ["NEW"]


async def test_the_books_survive_a_restart(tmp_path):
    state = tmp_path / "malls.sqlite"
    before = await open_shop(state=state)
    await before.lists("MUG", quantity=3)
    await before.patch("MUG", setting(7))
    await before.client.aclose()
    after = await open_shop(state=state)
    after.hand.move(minutes=1)
    assert await after.counter("MUG") == 7
    await after.client.aclose()
