"""差異の解消: our numbers are sent, or the totals follow the malls."""

from datetime import timedelta
from typing import Any

import pytest

from domain.model.malls import MallTime, StockReading
from domain.model.roles import Permission
from domain.services import bulk, readings
from tests.api.mutations.desk import Desk, Held
from tests.domain.services.rows import NOW, OWNER, a_listing, row, waiting

RESOLVE = """
mutation Resolve($input: ResolveDifferencesInput!) { resolveDifferences(input: $input) {
    listings { quantityToShow mallStock { quantity } difference { cause } product { total } }
    job { __typename progress { total done failed } } preview { changed confirmationToken }
    userErrors { code field message } } }
"""
REFUSED = {"listings": [], "job": None, "preview": None}


async def read(desk: Desk, held: Held, quantity: int, *, minutes_ago: int) -> None:
    """Its mall showed this."""
    at = NOW - timedelta(minutes=minutes_ago)
    async with desk.db.transaction(desk.account) as tx:
        shop_id = (await row(tx, "SELECT id FROM shops"))["id"]
        await readings.ask(tx, OWNER, [held.listing_id], now=at)
        call = await readings.begin(tx, shop_id, now=at)
        assert call is not None
        found = [StockReading(each.ref, MallTime(at, at), quantity=quantity) for each in call.asked]
        await readings.took(tx, call, found, now=at)
        await readings.put_back(tx, call, now=at)


async def resolves(desk: Desk, take: str, *those: Held, **more: Any) -> Any:
    input = {"listings": {"ids": [each.listing for each in those]}, "take": take, **more}
    return (await desk.execute(RESOLVE, input=input))["resolveDifferences"]


@pytest.fixture
async def mug(desk: Desk) -> Held:
    """Its mall shows 5 where 3 should stand; a person is asked, for the orders of its shop are not fetched."""
    shop = await desk.a_shop()
    async with desk.db.transaction(desk.account) as tx:
        await row(tx, "UPDATE shops SET orders_running = false, drift_policy = 'ASK' RETURNING id")
    held = await desk.a_product(shop, "MUG", total=3)
    await read(desk, held, 3, minutes_ago=60)
    await read(desk, held, 5, minutes_ago=1)
    return held


async def test_ours_is_sent_once_it_is_confirmed(desk: Desk, mug: Held):
    """Where orders are not fetched a sale may be overwritten: that is asked about, as by any reflect."""
    asked = await resolves(desk, "OURS_WINS", mug)
    token = asked["preview"]["confirmationToken"]

    told = await resolves(desk, "OURS_WINS", mug, confirmationToken=token)

    assert [each["code"] for each in asked["userErrors"]] == ["CONFIRMATION_NEEDED"]
    assert (asked["job"], asked["preview"]["changed"]) == (None, 1)
    assert told["userErrors"] == []
    assert told["job"] == {
        "__typename": "ReflectJob",
        "progress": {"total": 1, "done": 0, "failed": 0},
    }
    async with desk.db.transaction(desk.account) as tx:
        assert (await waiting(tx, mug.listing_id))["waits"] is True
    assert (await desk.operations())[-1] == "REFLECT"


async def test_theirs_is_taken(desk: Desk, mug: Held):
    told = await resolves(desk, "TAKE_THEIRS", mug)

    assert told == {
        "listings": [
            {
                "quantityToShow": 5,
                "mallStock": {"quantity": 5},
                "difference": None,
                "product": {"total": 5},
            }
        ],
        "job": None,
        "preview": None,
        "userErrors": [],
    }
    assert (await desk.operations())[-1] == "TAKE_THEIRS"
    async with desk.db.transaction(desk.account) as tx:
        cause = "SELECT cause, delta FROM stock_movements ORDER BY stock_version DESC LIMIT 1"
        assert await row(tx, cause) == {"cause": "MALL_EDIT_TAKEN", "delta": 2}


@pytest.mark.parametrize(
    ("case", "limits", "code"),
    [
        ("nothing was read", None, "MALL_STOCK_UNKNOWN"),
        ("a limit cuts it", 2, "CANNOT_TAKE_THEIRS"),
    ],
)
async def test_what_does_not_say_how_many_there_are_is_not_taken(
    desk: Desk, mug: Held, case: str, limits: int | None, code: str
):
    async with desk.db.transaction(desk.account) as tx:
        if limits is None:
            await row(tx, "UPDATE listing_sync SET base = NULL RETURNING listing_id")
        await row(tx, "UPDATE listings SET maximum = :most RETURNING id", most=limits)

    told = await resolves(desk, "TAKE_THEIRS", mug)

    [error] = told.pop("userErrors")
    assert (error["code"], error["field"]) == (code, ["listings", "ids", "0"]), case
    assert told == REFUSED


@pytest.mark.parametrize(
    ("take", "without", "code"),
    [("ASK", None, "INVALID_VALUE"), ("TAKE_THEIRS", Permission.STOCK_WRITE, "EXCEEDS_RIGHTS")],
)
async def test_what_is_refused_altogether(
    desk: Desk, mug: Held, take: str, without: Permission | None, code: str
):
    who = desk.having(*(desk.permissions - {without}))
    before = await desk.everything()

    told = await resolves(who, take, mug)

    [error] = told.pop("userErrors")
    assert (error["code"], error["field"]) == (code, ["take"])
    assert await desk.everything() == before


async def test_of_more_than_a_hundred_a_job_takes_theirs(desk: Desk, mug: Held):
    shop = (await desk.execute("{ shops { id } }"))["shops"][0]["id"]
    async with desk.db.transaction(desk.account) as tx:
        shop_id = (await row(tx, "SELECT id FROM shops"))["id"]
        for nth in range(100):
            await a_listing(tx, shop_id, f"P{nth:03}", total=1, shows=1)
    matching = {"filter": {"shopIds": [shop]}, "expectedCount": 101}
    input = {"listings": {"matching": matching}, "take": "TAKE_THEIRS"}

    told = (await desk.execute(RESOLVE, input=input))["resolveDifferences"]

    assert told["job"] == {
        "__typename": "BulkChange",
        "progress": {"total": 101, "done": 0, "failed": 0},
    }
    async with desk.db.transaction(desk.account) as tx:
        job = (await row(tx, "SELECT id FROM jobs WHERE kind = 'BULK_CHANGE'"))["id"]
        assert await bulk.do_part(tx, job, now=NOW) is False
        total = await row(tx, "SELECT total FROM products WHERE code = 'MUG'")
    assert total == {"total": 5}
