"""初期受注取得, モール在庫の読み取り and 全件同期 as a screen asks for them and follows them."""

import pytest

from domain.model.roles import Permission
from tests.api.mutations.desk import Desk
from tests.domain.services.rows import rows

FETCH = """
mutation Fetch($input: FetchInitialOrdersInput!) { fetchInitialOrders(input: $input) {
    job { id kind state cancellable progress { total done text } createdBy { __typename }
        orders lines deducted byShop { shop { name } state orders reached } }
    userErrors { code field message } } }
"""
READ = """
mutation Read($input: ReadMallStockInput!) { readMallStock(input: $input) {
    job { id kind state progress { total done failed } failures { edges { node {
        target { ... on Listing { itemCode } } userErrors { code message } } } } }
    userErrors { code field message } } }
"""
ACTIONS = """
query Actions($id: ID!) { node(id: $id) { ... on Shop { actions { key enabled reason } } } }
"""
SINCE = "2026-11-10T00:00:00+09:00"


async def test_initial_orders_are_asked_for_and_followed_shop_by_shop(desk: Desk):
    here, there = (
        await desk.a_shop("Here", running=False),
        await desk.a_shop("There", running=False),
    )
    asked = {"shopIds": [desk.id("Shop", there), desk.id("Shop", here)], "since": SINCE}

    data = await desk.execute(FETCH, input=asked)

    job = data["fetchInitialOrders"]["job"]
    assert data["fetchInitialOrders"]["userErrors"] == []
    waits = {"state": "WAITING", "orders": 0, "reached": None}
    assert {name: value for name, value in job.items() if name != "id"} == {
        "kind": "ORDER_FETCH",
        "state": "WAITING",
        "cancellable": True,
        "progress": {"total": None, "done": 0, "text": "It waits."},
        "createdBy": {"__typename": "User"},
        "orders": 0,
        "lines": 0,
        "deducted": 0,
        "byShop": [{"shop": {"name": name}, **waits} for name in ("Here", "There")],
    }
    async with desk.db.transaction(desk.account) as tx:
        [kept] = await rows(
            tx, "SELECT input ->> 'mode' AS mode FROM jobs WHERE kind = 'ORDER_FETCH'"
        )
    assert kept == {"mode": "BASELINE"}
    assert await desk.operations() == ["FETCH_INITIAL_ORDERS", "FETCH_INITIAL_ORDERS"]


async def test_a_second_fetch_is_refused_as_long_as_the_first_is_under_way(desk: Desk):
    shop = desk.id("Shop", await desk.a_shop("Here"))
    asked = {"shopIds": [shop], "since": SINCE, "mode": "APPLY"}
    first = await desk.execute(FETCH, input=asked | {"idempotencyKey": "one"})

    again = await desk.execute(FETCH, input=asked | {"idempotencyKey": "one"})
    another = await desk.execute(FETCH, input=asked)
    menu = await desk.execute(ACTIONS, id=shop)

    assert again == first
    assert another["fetchInitialOrders"] == {
        "job": None,
        "userErrors": [
            {
                "code": "ALREADY_RUNNING",
                "field": ["shopIds"],
                "message": "The orders of Here are being fetched already: wait, or cancel that first.",
            }
        ],
    }
    by_key = {each["key"]: each for each in menu["node"]["actions"]}
    assert by_key["FETCH_INITIAL_ORDERS"]["enabled"] is False
    assert by_key["READ_MALL_STOCK"] == {"key": "READ_MALL_STOCK", "enabled": True, "reason": None}


@pytest.mark.parametrize(
    ("case", "more", "code", "field"),
    [
        ("nobody named", {"shopIds": []}, "REQUIRED", ["shopIds"]),
        ("too long ago", {"since": "2020-01-01T00:00:00Z"}, "INVALID_VALUE", ["since"]),
    ],
)
async def test_what_is_refused(desk: Desk, case: str, more: dict, code: str, field: list[str]):
    asked = {"shopIds": [desk.id("Shop", await desk.a_shop())], "since": SINCE}

    data = await desk.execute(FETCH, input=asked | more)

    [error] = data["fetchInitialOrders"]["userErrors"]
    assert (error["code"], error["field"]) == (code, field), case


SYNC = """
mutation Sync($input: StartFullSyncInput!) { startFullSync(input: $input) {
    job { id state } userErrors { code field message params { name value } } } }
"""


async def test_a_second_full_sync_is_refused_as_long_as_the_first_is_under_way(desk: Desk):
    here = await desk.a_shop("Here")
    await desk.a_product(here, "MUG", total=3)
    asked = {"shopIds": [desk.id("Shop", here)]}
    first = await desk.execute(SYNC, input=asked | {"idempotencyKey": "one"})

    again = await desk.execute(SYNC, input=asked | {"idempotencyKey": "one"})
    another = await desk.execute(SYNC, input=asked)

    assert first["startFullSync"]["job"]["state"] == "RUNNING"
    assert again == first
    assert another["startFullSync"] == {
        "job": None,
        "userErrors": [
            {
                "code": "ALREADY_RUNNING",
                "field": ["shopIds"],
                "message": "A full sync of Here is under way already: wait, or cancel that first.",
                "params": [{"name": "syncing", "value": "Here"}],
            }
        ],
    }


CANCEL = """
mutation Cancel($input: CancelJobInput!) { cancelJob(input: $input) {
    job { kind state } userErrors { code } } }
"""


async def test_both_can_be_called_off_by_those_who_may_begin_them(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    asked = {"shopIds": [desk.id("Shop", shop)], "since": SINCE}
    fetch = (await desk.execute(FETCH, input=asked))["fetchInitialOrders"]["job"]["id"]
    read = await desk.execute(READ, input={"listings": {"ids": [mug.listing]}})
    reflecting = desk.having(Permission.READ, Permission.REFLECT)

    refused = await reflecting.answer(CANCEL, input={"jobId": fetch})
    called_off = [
        await who.execute(CANCEL, input={"jobId": job})
        for who, job in ((desk, fetch), (reflecting, read["readMallStock"]["job"]["id"]))
    ]
    again = await desk.execute(FETCH, input=asked)

    assert [each["extensions"]["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    assert [each["cancelJob"]["job"] for each in called_off] == [
        {"kind": "ORDER_FETCH", "state": "CANCELLED"},
        {"kind": "READ_MALL_STOCK", "state": "CANCELLED"},
    ]
    assert again["fetchInitialOrders"]["userErrors"] == []


async def test_numbers_of_malls_are_asked_for_and_their_failures_told(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(shop, "TEA", total=4)

    data = await desk.execute(READ, input={"listings": {"ids": [mug.listing, tea.listing]}})

    job = data["readMallStock"]["job"]
    assert (job["kind"], job["state"]) == ("READ_MALL_STOCK", "WAITING")
    assert job["progress"] == {"total": 2, "done": 0, "failed": 0}
    assert await desk.operations() == ["READ_MALL_STOCK"]


async def test_all_that_a_filter_finds_is_read(desk: Desk):
    shop = await desk.a_shop()
    for nth in range(3):
        await desk.a_product(shop, f"P{nth}", total=nth)
    matching = {"filter": {"shopIds": [desk.id("Shop", shop)]}, "expectedCount": 3}

    data = await desk.execute(READ, input={"listings": {"matching": matching}})

    assert data["readMallStock"]["job"]["progress"]["total"] == 3
