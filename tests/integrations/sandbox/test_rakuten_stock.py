"""Rakuten's keys and inventory API as its fact sheet tells them (§1, §2, §3, §6)."""

import pytest

from tests.integrations.sandbox.rakuten_shop import entry, open_rakuten

GA0001 = {"errors": [{"code": "GA0001", "message": "Un-Authorised"}]}
ES04_01 = {"Results": {"errorCode": "ES04-01", "message": "Bad Request"}}
ONE = "2.0/inventories/manage-numbers/{}/variants/{}"
EXPIRY = "1.0/license-management/license-key/expiry-date"


@pytest.fixture
async def shop():
    shop = await open_rakuten()
    await shop.rig.has(tee__m=5, tee__L=3, mug__mug=9)
    yield shop
    await shop.rig.client.aclose()


async def quantities(shop, *refs):
    body = {"inventories": [{"manageNumber": code, "variantId": v} for code, v in refs]}
    answer = await shop.call("POST", "2.0/inventories/bulk-get", body)
    assert answer.status_code == 200, answer.text
    return [row["quantity"] for row in answer.json()["inventories"]]


# keys


async def test_a_wrong_key_is_unauthorised(shop):
    answer = await shop.call("GET", ONE.format("tee", "m"), license_key="SL0")
    assert (answer.status_code, answer.json()) == (401, GA0001)


async def test_without_a_header_nobody_is_known(shop):
    answer = await shop.rig.client.get("/rakuten/es/2.0/items/search")
    assert (answer.status_code, answer.json()) == (401, GA0001)


async def test_a_key_ends_on_its_ninetieth_day_and_says_so_in_japanese_time(shop):
    key = shop.rig.credentials["license_key"]
    answer = await shop.call("GET", f"{EXPIRY}?licenseKey={key}")
    assert answer.json() == {"expiryDate": "2027-03-01T23:59:59"}
    shop.hand.move(days=91)
    answer = await shop.call("GET", f"{EXPIRY}?licenseKey={key}")
    assert (answer.status_code, answer.json()) == (401, GA0001)


async def test_a_new_key_kills_the_old_one_and_is_recognised_later():
    shop = await open_rakuten(speed=1, activation_delay=900, limits=False)
    old = shop.rig.credentials["license_key"]
    renewed = await shop.rig.control("POST", "renew")
    shop.rig.credentials = renewed["credentials"]
    dead = await shop.call("GET", "2.0/items/search", license_key=old)
    early = await shop.call("GET", "2.0/items/search")
    shop.hand.move(seconds=901)
    alive = await shop.call("GET", "2.0/items/search")
    assert (dead.status_code, dead.json()) == (401, GA0001)
    assert (early.status_code, early.json()) == (400, ES04_01)
    assert alive.status_code == 200
    await shop.rig.client.aclose()


async def test_a_function_that_is_not_switched_on(shop):
    await shop.rig.control("POST", "settings", settings={"disabled_apis": ["stock"]})
    refused = await shop.upsert(entry())
    found = await shop.call("GET", "2.0/items/search")
    assert (refused.status_code, refused.json()) == (400, ES04_01)
    assert found.status_code == 200


# writes


async def test_a_bulk_write_answers_nothing_and_sets_absolute_and_relative_numbers(shop):
    answer = await shop.upsert(entry(quantity=12), entry(variant="L", quantity=-1, mode="RELATIVE"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await quantities(shop, ("tee", "m"), ("tee", "L")) == [12, 2]


@pytest.mark.parametrize(
    ("case", "bad", "code", "path"),
    [
        ("below the range", entry(quantity=-1), "IE0003", "quantity"),
        ("above the range", entry(quantity=100_000), "IE0003", "quantity"),
        ("text for a number", entry(quantity="7"), "IE0002", "quantity"),
        ("no mode", entry(mode=None), "IE0002", "mode"),
        ("unknown mode", entry(mode="SET"), "IE0002", "mode"),
        ("a code with a space", entry(code="te e"), "IE0002", "manageNumber"),
        ("a code of 33 bytes", entry(code="a" * 33), "IE0004", "manageNumber"),
        ("a variant of 33 bytes", entry(variant="a" * 33), "IE0004", "variantId"),
        ("an unknown field", entry(price=1), "IE0002", "price"),
        ("a field of 2.1", entry(shipFromIds=[1]), "IE0002", "shipFromIds"),
        ("a first registration by delta", entry(code="new", mode="RELATIVE"), "GE0014", "mode"),
        ("a delta below zero", entry(quantity=-6, mode="RELATIVE"), "IE0003", "quantity"),
    ],
)
async def test_one_bad_entry_refuses_the_whole_bulk(shop, case, bad, code, path):
    answer = await shop.upsert(entry(variant="L"), bad)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, code), case
    assert error["metadata"] == {"propertyPath": f"inventories[1].{path}"}, case
    assert await quantities(shop, ("tee", "L"), ("tee", "m")) == [3, 5], case


async def test_version_2_1_takes_lead_times(shop):
    answer = await shop.upsert(entry(operationLeadTime={}, shipFromIds=[1]), version="2.1")
    assert answer.status_code == 204


@pytest.mark.parametrize(("entries", "status"), [(0, 400), (400, 204), (401, 400)])
async def test_a_bulk_write_holds_one_to_400_entries(shop, entries, status):
    answer = await shop.upsert(*(entry(variant=f"v{i}") for i in range(entries)))
    assert answer.status_code == status


async def test_an_unknown_sku_is_taken_without_a_word_and_seen_nowhere(shop):
    assert (await shop.upsert(entry(code="ghost", quantity=4))).status_code == 204
    single = await shop.call("GET", ONE.format("ghost", "m"))
    assert await quantities(shop, ("ghost", "m")) == []
    assert (single.status_code, single.json()["errors"][0]["code"]) == (404, "GE0014")
    found = await shop.call("GET", "2.0/items/search?hits=100")
    assert "ghost" not in found.text


@pytest.mark.parametrize(("hours", "status"), [(23, 204), (24, 400)])
async def test_a_ghost_is_deleted_after_a_day(shop, hours, status):
    await shop.upsert(entry(code="ghost", quantity=4))
    shop.hand.move(hours=hours)
    answer = await shop.upsert(entry(code="ghost", quantity=1, mode="RELATIVE"))
    assert answer.status_code == status


async def test_the_item_code_is_folded_and_the_variant_is_not(shop):
    await shop.upsert(entry(code="TEE", quantity=8), entry(variant="M", quantity=1))
    assert await quantities(shop, ("Tee", "m")) == [8]
    assert await quantities(shop, ("tee", "M")) == []


async def test_a_single_write_and_a_single_read(shop):
    written = await shop.call("PUT", ONE.format("tee", "m"), {"mode": "ABSOLUTE", "quantity": 2})
    read = await shop.call("GET", ONE.format("tee", "m"))
    assert written.status_code == 204
    assert read.json() == {
        "manageNumber": "tee",
        "variantId": "m",
        "quantity": 2,
        "created": "2026-12-01T12:00:00+09:00",
        "updated": "2026-12-01T12:00:00+09:00",
    }


# reads


async def test_missing_skus_are_just_absent(shop):
    assert await quantities(shop, ("tee", "m"), ("nope", "x"), ("mug", "mug")) == [5, 9]


@pytest.mark.parametrize(("entries", "status"), [(1000, 200), (1001, 400)])
async def test_a_bulk_read_holds_at_most_1000(shop, entries, status):
    body = {"inventories": [{"manageNumber": "tee", "variantId": "m"}] * entries}
    answer = await shop.call("POST", "2.0/inventories/bulk-get", body)
    assert answer.status_code == status


async def test_a_search_by_quantity(shop):
    path = "2.0/inventories/bulk-get/range"
    found = await shop.call("GET", f"{path}?minQuantity=4&maxQuantity=8")
    unbounded = await shop.call("GET", path)
    assert [row["variantId"] for row in found.json()["inventories"]] == ["m"]
    assert (unbounded.status_code, unbounded.json()["errors"][0]["code"]) == (400, "IE0002")


async def test_a_search_that_finds_more_than_1000(shop):
    await shop.rig.has(**{f"x{i}": 50 for i in range(1001)})
    answer = await shop.call("GET", "2.0/inventories/bulk-get/range?minQuantity=50")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "IE0116")


async def test_a_write_is_read_back_after_the_display_delay():
    shop = await open_rakuten(speed=1, display_delay=20, limits=False)
    await shop.rig.has(tee__m=5)
    await shop.upsert(entry(quantity=7))
    at_once = await quantities(shop, ("tee", "m"))
    shop.hand.move(seconds=20)
    assert (at_once, await quantities(shop, ("tee", "m"))) == ([5], [7])
    await shop.rig.client.aclose()


# limits and mishaps


@pytest.mark.parametrize(
    ("method", "path", "body", "passed"),
    [
        ("POST", "2.0/inventories/bulk-upsert", {"inventories": [entry()]}, 1),
        ("GET", ONE.format("tee", "m"), None, 1),
        ("GET", "2.0/inventories/bulk-get/range?minQuantity=1", None, 1),
        ("GET", "2.0/items/search", None, 1),
    ],
)
async def test_calls_beyond_the_rate_are_too_many(method, path, body, passed):
    shop = await open_rakuten(speed=1)
    await shop.rig.has(tee__m=5)
    statuses = [(await shop.call(method, path, body)).status_code for _ in range(passed + 1)]
    shop.hand.move(seconds=1)
    again = await shop.call(method, path, body)
    assert statuses[-1] == 429
    assert 429 not in (*statuses[:-1], again.status_code)
    await shop.rig.client.aclose()


async def test_maintenance_of_stock_alone_is_a_page_and_orders_go_on(shop):
    await shop.rig.goes_wrong("maintenance", on=["stock"])
    stock = await shop.upsert(entry())
    orders = await shop.order("getOrder", {"orderNumberList": ["1"], "version": 8})
    assert (stock.status_code, stock.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert orders.status_code == 200
    assert await shop.rig.counters() == {"mug:mug": 9, "tee:L": 3, "tee:m": 5}


async def test_a_refused_item_takes_its_bulk_with_it(shop):
    await shop.rig.goes_wrong("partial", items=["tee:L"])
    answer = await shop.upsert(entry(), entry(variant="L"))
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "IE1101")
    assert error["metadata"]["propertyPath"].startswith("inventories[1]")
    assert (await shop.upsert(entry(quantity=1))).status_code == 204
    assert await quantities(shop, ("tee", "m"), ("tee", "L")) == [1, 3]


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        ("ES04-01", 400, ES04_01),
        ("ES01-01", 401, {"Results": {"errorCode": "ES01-01", "message": "Un-Authorised"}}),
        ("GA0001", 401, GA0001),
    ],
)
async def test_errors_that_come_by_themselves(shop, code, status, body):
    await shop.rig.goes_wrong("spurious", code=code, calls=1)
    answer = await shop.upsert(entry())
    assert (answer.status_code, answer.json()) == (status, body)
    assert (await shop.upsert(entry())).status_code == 204


async def test_accepted_without_being_applied(shop):
    await shop.rig.goes_wrong("not_applied", calls=1)
    assert (await shop.upsert(entry(quantity=1))).status_code == 204
    assert await quantities(shop, ("tee", "m")) == [5]
