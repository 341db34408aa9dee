"""The control API: what it refuses, and what its state shows."""

import pytest

from tests.integrations.sandbox.rakuten_shop import entry, open_rakuten


@pytest.fixture
async def shop():
    shop = await open_rakuten()
    await shop.rig.has(tee__m=5)
    yield shop
    await shop.rig.client.aclose()


LINE = {"item_code": "tee", "variant_code": "m", "quantity": 1}


@pytest.mark.parametrize(
    ("case", "method", "path", "body", "status", "code"),
    [
        ("no such mall", "POST", "shops", {"mall": "kaede"}, 400, "BAD_REQUEST"),
        ("no such shop", "POST", "renew", {"seller": "0"}, 404, "NOT_FOUND"),
        ("no items", "PUT", "items", {"items": []}, 400, "BAD_REQUEST"),
        ("an item without code", "PUT", "items", {"items": [{"quantity": 1}]}, 400, "BAD_REQUEST"),
        ("a number as text", "POST", "stock", LINE | {"quantity": "1"}, 400, "BAD_REQUEST"),
        ("true as a number", "POST", "stock", LINE | {"quantity": True}, 400, "BAD_REQUEST"),
        ("an unknown item", "POST", "stock", LINE | {"item_code": "no"}, 404, "NOT_FOUND"),
        ("nothing bought", "POST", "purchase", {"lines": []}, 400, "BAD_REQUEST"),
        (
            "zero bought",
            "POST",
            "purchase",
            {"lines": [LINE | {"quantity": 0}]},
            400,
            "BAD_REQUEST",
        ),
        (
            "too much bought",
            "POST",
            "purchase",
            {"lines": [LINE | {"quantity": 6}]},
            409,
            "SOLD_OUT",
        ),
        ("an unknown order", "POST", "cancel", {"number": "1"}, 404, "NOT_FOUND"),
        ("an unknown fault", "POST", "faults", {"kind": "bad_luck"}, 400, "BAD_REQUEST"),
        ("areas as text", "POST", "faults", {"kind": "slow", "on": "stock"}, 400, "BAD_REQUEST"),
        ("no tokens to expire", "POST", "expire", {}, 400, "BAD_REQUEST"),
    ],
)
async def test_what_is_refused_says_why_and_changes_nothing(
    shop, case, method, path, body, status, code
):
    answer = await shop.rig.asked(method, path, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), case
    assert answer.json()["error"]["message"], case
    assert await shop.rig.counters() == {"tee:m": 5}, case


async def test_a_body_that_is_not_json(shop):
    answer = await shop.rig.client.post("/_control/shops", content=b"{")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


async def test_a_cancelled_order_is_not_cancelled_again(shop):
    order = await shop.rig.buys("tee", 1, "m")
    await shop.rig.control("POST", "cancel", number=order["number"])
    again = await shop.rig.asked("POST", "cancel", number=order["number"])
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CLOSED")


async def test_a_cut_needs_units_and_the_item(shop):
    order = await shop.rig.buys("tee", 2, "m")
    for wrong in ({"item_code": "tee", "variant_code": "m", "by": 0}, {"item_code": "no", "by": 1}):
        answer = await shop.rig.asked("POST", "cut", number=order["number"], **wrong)
        assert answer.status_code == 400


async def test_a_store_adds_units_to_an_order_as_long_as_there_are_some(shop):
    await shop.rig.control("PUT", "items", items=[{"item_code": "mug", "quantity": 1}])
    order = await shop.rig.buys("tee", 2, "m")
    tees, mugs = {"item_code": "tee", "variant_code": "m"}, {"item_code": "mug"}
    for more in (tees, mugs):
        grown = await shop.rig.control("POST", "add", number=order["number"], **more, by=1)

    refused = await shop.rig.asked("POST", "add", number=order["number"], **mugs, by=1)

    assert [(line["item_code"], line["quantity"]) for line in grown["lines"]] == [
        ("tee", 3),
        ("mug", 1),
    ]
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SOLD_OUT")
    assert sorted((await shop.rig.counters()).values()) == [0, 2]


async def test_items_put_again_without_a_quantity_keep_their_counter(shop):
    await shop.rig.control("PUT", "items", items=[{"item_code": "TEE", "variant_code": "m"}])
    assert await shop.rig.counters() == {"tee:m": 5}


async def test_a_look_tells_counters_of_what_there_is_and_what_is_wrong(shop):
    await shop.rig.control("POST", "faults", kind="maintenance")
    asked = [{"item_code": "TEE", "variant_code": "m"}, {"item_code": "no"}]
    assert await shop.rig.control("POST", "look", items=asked) == {
        "items": [{"item_code": "tee", "variant_code": "m", "quantity": 5}],
        "faults": ["maintenance"],
    }


async def test_the_merchant_edits_a_number_by_hand(shop):
    await shop.rig.control("POST", "stock", item_code="tee", variant_code="m", quantity=8)
    state = await shop.rig.control("GET", "state")
    assert [(i["quantity"], i["shown"]) for i in state["items"]] == [(8, 8)]
    assert [(w["source"], w["sent"]) for w in state["writes"]] == [("merchant", 8)]


async def test_the_state_counts_requests_and_logs_writes(shop):
    await shop.upsert(entry(quantity=7), entry(quantity=-1, mode="RELATIVE"))
    await shop.call("GET", "2.0/items/search")
    await shop.call("GET", "2.0/items/search")
    state = await shop.rig.control("GET", "state")
    assert state["requests"] == {"inventories.bulk-upsert": 1, "items.search": 2}
    assert [(w["mode"], w["sent"], w["quantity"]) for w in state["writes"]] == [
        ("ABSOLUTE", 7, 7),
        ("RELATIVE", -1, 6),
    ]
    assert state["writes"][0]["at"] == "2026-12-01T03:00:00+00:00"
    assert state["orders"] == []
