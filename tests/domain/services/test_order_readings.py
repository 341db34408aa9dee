"""Orders that windows show again and again: what says nothing new is left as it is, and what is new is never left out."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.malls import MallOrder, OrderPage, OrderStatus
from domain.services import polling
from domain.store import order_readings
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, row, rows
from tests.domain.services.story import a_shop, an_order, in_stock, shop_of, totals

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
TEA = an_order("1", ("tea", 2), placed_at=NOW - MINUTE)
UPDATED = replace(TEA, updated_at=NOW - MINUTE)
CANCELLED = replace(TEA, status=OrderStatus.RELEASED)


async def tea_at(tx: Tx) -> Shop:
    known = {"orders_running": True, "watermark": NOW - MINUTE, "effective_from": NOW - DAY}
    shop = await a_shop(tx, cancel_policy="RESTORE", **known)
    await in_stock(tx, shop, TEA=10)
    return shop


async def polled(tx: Tx, shop: Shop, *orders: MallOrder, at: datetime, **more: Any) -> OrderPage:
    await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
    poll = await polling.begin(tx, shop.id, "test", now=at)
    assert poll is not None
    page = OrderPage(orders, at, last=True, **more)
    await polling.took(tx, poll, page, page, now=at)
    await polling.end(tx, poll, now=at)
    return page


async def the_order(tx: Tx) -> dict[str, Any]:
    return await row(tx, "SELECT xmin::text AS version, ctid::text AS place, * FROM orders")


@pytest.mark.parametrize(
    ("case", "first", "first_at", "again_at", "noted"),
    [
        ("seen just now", TEA, NOW, NOW + MINUTE, False),
        ("seen a while ago", TEA, NOW, NOW + 3 * MINUTE, True),
        ("updated long before it was read", UPDATED, NOW, NOW + MINUTE, False),
        ("read in the second of its update", UPDATED, NOW - MINUTE, NOW, True),
    ],
)
async def test_an_order_that_says_nothing_new_is_left_as_it_is(
    db: Database,
    account: UUID,
    case: str,
    first: MallOrder,
    first_at: datetime,
    again_at: datetime,
    noted: bool,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, first, at=first_at)
        before = await the_order(tx)

        await polled(tx, shop, first, at=again_at)

        after = await the_order(tx)
        assert after["observed_at"] == (again_at if noted else first_at), case
        assert (after["place"] != before["place"]) is noted, case
        assert await totals(tx) == {"TEA": 8}


async def test_what_a_list_shows_to_be_unchanged_is_noted_without_being_read(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, UPDATED, at=NOW)

        await polled(tx, shop, at=NOW + 3 * MINUTE, unchanged=("1", "never heard of"))

        assert (await the_order(tx))["observed_at"] == NOW + 3 * MINUTE
        assert await totals(tx) == {"TEA": 8}


async def test_a_change_is_taken_in_however_soon_it_follows(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)

        for nth, order in enumerate((TEA, TEA, CANCELLED, CANCELLED)):
            await polled(tx, shop, order, at=NOW + nth * SECOND)
            assert await totals(tx) == {"TEA": 8 if order is TEA else 10}


async def test_a_page_that_came_late_does_not_pass_for_the_newest(db: Database, account: UUID):
    """The order was cancelled by then: what the older page said is not what the next one is held against."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, TEA, at=NOW)
        await polled(tx, shop, CANCELLED, at=NOW + 2 * SECOND)
        await polled(tx, shop, TEA, at=NOW + SECOND)

        assert (await the_order(tx))["status"] == "RELEASED"
        await polled(tx, shop, TEA, at=NOW + 3 * SECOND)
        assert (await the_order(tx))["status"] == "HOLDS"


async def test_an_order_that_could_not_be_read_meanwhile_is_read_anew(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, UPDATED, at=NOW)
        await polled(tx, shop, at=NOW + SECOND, unreadable={"1": "?"})

        assert await order_readings.last(tx, shop.id, ["1"]) == {}
        await polled(tx, shop, UPDATED, at=NOW + 2 * SECOND)

        assert [*await order_readings.last(tx, shop.id, ["1", "2"])] == ["1"]
        assert (await the_order(tx))["unread_at"] is None


async def test_another_shop_s_order_of_that_number_is_none_of_its_own(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, TEA, at=NOW)
        other = await shop_of(tx, (await a_shop(tx, name="Other")).id)

        assert await order_readings.last(tx, other.id, ["1"]) == {}
