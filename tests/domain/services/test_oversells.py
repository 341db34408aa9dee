"""An incident is opened by the order that takes a total below zero, says why, and closes when it is there again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.model.errors import MallError, MallRefused
from domain.model.malls import MallKind, OrderStatus
from domain.model.orders import CancelPolicy
from domain.model.sets import SetPart
from domain.model.stock import AdjustReason
from domain.services import links, sets, stock
from domain.services.stock import Adjustment, NewTotal
from domain.store import shops
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.api.statements import statements
from tests.domain.services.rows import OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    counted,
    everywhere_right,
    imported,
    product_ids,
    shop_of,
    shown,
    take,
    totals,
)
from tests.domain.services.turns import answers, claimed, fails, lease_of

PLACED = datetime(2030, 1, 7, 3, 0, tzinfo=UTC)
"""Long after whatever these stories do: what is written to the ledger is recorded by the database's own clock."""

BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


async def two_shops(tx: Tx, total: int) -> tuple[Shop, Shop]:
    """TEA at both, shown as it is since long ago."""
    one = await a_shop(tx, "Tea@R")
    other = await a_shop(tx, "Tea@Y", mall=MallKind.YAHOO_SHOPPING)
    for shop in (one, other):
        await imported(tx, shop, a_listing("TEA"))
    await counted(tx, BEFORE, TEA=total)
    await everywhere_right(tx, BEFORE)
    return one, other


async def incidents(tx: Tx) -> list[tuple[str, int, bool]]:
    """(cause, units, open), oldest first."""
    found = await rows(
        tx, "SELECT cause, units, closed_at IS NULL AS open FROM oversell_incidents ORDER BY id"
    )
    return [tuple(each.values()) for each in found]


async def sells(
    tx: Tx,
    shop: Shop,
    number: str,
    units: int = 1,
    *,
    at: datetime = BEFORE + HOUR,
    ref: str = "tea",
) -> None:
    await take(tx, shop, an_order(number, (ref, units), placed_at=at), at=at + SECOND)


async def test_two_malls_that_sell_the_last_unit_at_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")
        assert await incidents(tx) == []

        await sells(tx, other, "2")
        assert await incidents(tx) == [("SIMULTANEOUS_ORDERS", 1, True)]

        await sells(tx, one, "3", at=PLACED)
        assert await incidents(tx) == [("SIMULTANEOUS_ORDERS", 2, True)]
        assert await totals(tx) == {"TEA": -2}


async def test_the_shops_of_both_sales_are_noted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")
        await sells(tx, other, "2")

        [noted] = await rows(
            tx,
            """
            SELECT i.shop_id, i.other_shop_id, o.number FROM oversell_incidents i
            JOIN orders o ON o.id = i.order_id
            """,
        )
        assert noted == {"shop_id": other.id, "other_shop_id": one.id, "number": "2"}


async def test_one_of_them_sold_it_in_a_set(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        tea = (await product_ids(tx))["TEA"]
        await sets.save_set(tx, OWNER, None, code="BOX", parts=[SetPart(tea, 1)], now=BEFORE)
        await imported(tx, other, a_listing("BOX"))
        await everywhere_right(tx, BEFORE)
        await sells(tx, one, "1")

        await sells(tx, other, "2", ref="box")

        assert await incidents(tx) == [("SET_PART", 1, True)]


async def pushed(tx: Tx, shop: Shop, refused: MallError | None = None) -> None:
    """What waits at the shop is sent between the sales, and stands or is refused."""
    batch = await claimed(tx, shop, await lease_of(tx, shop), at=PLACED - HOUR)
    assert batch is not None
    if refused is None:
        await answers(tx, batch, at=PLACED - HOUR)
    else:
        await fails(tx, batch, refused, at=PLACED - HOUR)


async def test_a_mall_that_had_not_been_told(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")

        await sells(tx, other, "2", at=PLACED)

        assert await incidents(tx) == [("PUSH_LAG", 1, True)]


async def test_a_mall_that_could_not_be_told(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")
        await pushed(tx, other, MallRefused("no"))

        await sells(tx, other, "2", at=PLACED)

        assert await incidents(tx) == [("PUSH_FAILED", 1, True)]


async def test_a_mall_that_was_told_and_sold_all_the_same(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")
        await pushed(tx, other)

        await sells(tx, other, "2", at=PLACED)

        assert await incidents(tx) == [("RAISED_AT_MALL", 1, True)]


async def test_a_mall_that_sold_more_in_one_page_than_it_was_to_show(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, _ = await two_shops(tx, 1)
        pair = [an_order(number, ("tea", 1), placed_at=PLACED) for number in "12"]

        await take(tx, shop, *pair, at=PLACED)

        assert await incidents(tx) == [("RAISED_AT_MALL", 1, True)]


async def test_an_order_that_came_late(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1")
        late = an_order("2", ("tea", 1), placed_at=BEFORE + MINUTE)

        await take(tx, other, late, at=BEFORE + HOUR)

        assert await incidents(tx) == [("LATE_ORDER", 1, True)]


async def test_a_cancel_that_was_given_back_by_hand_once_more(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, _ = await two_shops(tx, 1)
        await shops.change(tx, shop.id, cancel_policy=CancelPolicy.RESTORE.value)
        shop = await shop_of(tx, shop.id)
        await sells(tx, shop, "1")
        gone = an_order("1", ("tea", 1), placed_at=BEFORE + HOUR, status=OrderStatus.RELEASED)
        await take(tx, shop, gone, at=BEFORE + 2 * HOUR)
        back = [Adjustment((await product_ids(tx))["TEA"], 1)]
        await stock.adjust_totals(tx, OWNER, back, reason=AdjustReason.RETURNED, now=BEFORE)
        assert await totals(tx) == {"TEA": 2}

        await sells(tx, shop, "2", 3, at=PLACED)

        assert await incidents(tx) == [("RESTORED_TWICE", 1, True)]


async def test_an_order_that_waited_for_its_link(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await imported(tx, other, a_listing("POT"), create_products=False, link=False)
        await sells(tx, other, "1", ref="pot")
        await sells(tx, one, "2")
        pot = (await shown(tx, other, "pot")).listing_id
        tea = (await product_ids(tx))["TEA"]

        await links.link(tx, OWNER, [(pot, tea)], copy_page=True, now=PLACED)

        assert await incidents(tx) == [("WRONG_LINK", 1, True)]


async def test_what_nothing_explains(db: Database, account: UUID):
    """There never was as much as was sold, and nobody knows what the mall showed."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await imported(tx, shop, a_listing("TEA"))
        await counted(tx, BEFORE, TEA=1)

        await sells(tx, shop, "1", 2)

        assert await incidents(tx) == [("UNKNOWN", 1, True)]


async def test_it_closes_when_the_total_is_zero_again_and_the_next_one_is_another(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        one, other = await two_shops(tx, 1)
        await sells(tx, one, "1", 3)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, -1)], now=BEFORE)
        assert [each[2] for each in await incidents(tx)] == [True]

        await stock.set_totals(tx, OWNER, [NewTotal(tea, 0)], now=BEFORE)
        assert [each[2] for each in await incidents(tx)] == [False]

        await sells(tx, other, "2")
        assert [each[1:] for each in await incidents(tx)] == [(2, False), (1, True)]


async def test_a_cancel_in_the_same_page_opens_nothing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, _ = await two_shops(tx, 1)
        await shops.change(tx, shop.id, cancel_policy=CancelPolicy.RESTORE.value)
        shop = await shop_of(tx, shop.id)
        await sells(tx, shop, "2")
        fresh = an_order("1", ("tea", 1), placed_at=BEFORE + HOUR)
        gone = an_order("2", ("tea", 1), placed_at=BEFORE + HOUR, status=OrderStatus.RELEASED)

        await take(tx, shop, fresh, gone, at=BEFORE + 2 * HOUR)

        assert await totals(tx) == {"TEA": 0}
        assert await incidents(tx) == []


@pytest.mark.parametrize(("total", "asked"), [(5, 0), (0, 2)])
async def test_it_costs_nothing_where_no_total_crosses_zero(
    db: Database, account: UUID, total: int, asked: int
):
    async with db.transaction(account) as tx:
        shop, _ = await two_shops(tx, total)
        with statements() as sent:
            await sells(tx, shop, "1")

    assert sum("oversell_incidents" in each for each in sent) == asked
