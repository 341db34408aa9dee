"""One order from several sources, and windows whose walk breaks off: nothing is lost, nothing counts twice."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from domain.model.errors import MallMalformed, MallUnavailable
from domain.model.initial_orders import InitialOrderMode
from domain.model.malls import MallKind, MallOrder, OrderPage, OrderStatus
from domain.model.sets import SetPart
from domain.services import initial_orders, polling, sets
from domain.services.polling import Poll
from domain.store import shops
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    counted,
    everywhere_right,
    imported,
    in_stock,
    movements,
    product_ids,
    shop_of,
    take,
    totals,
)

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
Source = Callable[[Tx, Shop, MallOrder, datetime], Awaitable[None]]


async def tea_at(tx: Tx, mall: MallKind = MallKind.YAHOO_SHOPPING) -> Shop:
    known = {"orders_running": True, "watermark": NOW - MINUTE, "effective_from": NOW - DAY}
    shop = await a_shop(tx, mall=mall, **known)
    await in_stock(tx, shop, TEA=10)
    return shop


async def begun(tx: Tx, shop: Shop, at: datetime) -> Poll:
    await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
    poll = await polling.begin(tx, shop.id, "test", now=at)
    assert poll is not None
    return poll


async def a_poll(tx: Tx, shop: Shop, order: MallOrder, at: datetime) -> None:
    poll = await begun(tx, shop, at)
    page = OrderPage((order,), at, 1, True)
    await polling.took(tx, poll, page, page, now=at + SECOND)
    await polling.end(tx, poll, now=at + SECOND)


async def another_look(tx: Tx, shop: Shop, order: MallOrder, at: datetime) -> None:
    poll = await begun(tx, shop, at)
    page = OrderPage((order,), at, 1, True)
    await polling.reread(tx, poll, page, asked=[order.number], now=at + SECOND)
    await polling.end(tx, poll, now=at + SECOND)


async def the_initial_fetch(tx: Tx, shop: Shop, order: MallOrder, at: datetime) -> None:
    """Ordinary orders come first: none are due."""
    await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
    await shops.change(tx, shop.id, next_order_poll_at=at + MINUTE)
    since = NOW - timedelta(hours=20)
    mode = InitialOrderMode.APPLY
    await initial_orders.ask(tx, OWNER, [shop.id], since=since, mode=mode, now=at)
    fetch = await initial_orders.begin(tx, shop.id, "test", now=at)
    assert fetch is not None
    page = OrderPage((order,), at, 1, True)
    await initial_orders.took(tx, fetch, fetch.poll, page, now=at)
    await initial_orders.end(tx, fetch, now=at)


@pytest.mark.parametrize("sources", list(permutations((a_poll, another_look, the_initial_fetch))))
async def test_an_order_that_every_source_tells_is_taken_once(
    db: Database, account: UUID, sources: Sequence[Source]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        order = an_order("1", ("tea", 2), placed_at=NOW - MINUTE)

        for nth, source in enumerate((*sources, *sources)):
            await source(tx, await shop_of(tx, shop.id), order, NOW + nth * MINUTE)

        assert await totals(tx) == {"TEA": 8}
        assert (await movements(tx, "TEA"))[1:] == [("ORDER", -2, 8)]
        assert await unbalanced(tx) == []


@pytest.mark.parametrize(
    "error", [MallUnavailable("Down."), MallMalformed("Half an answer."), None]
)
async def test_the_watermark_never_passes_a_page_that_did_not_come(
    db: Database, account: UUID, error: Exception | None
):
    """The second of three pages fails, or the worker is gone: what is asked for next begins where this began."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        first, second = an_order("1", ("tea", 1)), an_order("2", ("tea", 2))
        poll = await begun(tx, shop, NOW)
        page = OrderPage((first,), NOW, 3, False)
        await polling.took(tx, poll, page, page, now=NOW + SECOND)

        if isinstance(error, MallUnavailable | MallMalformed):
            await polling.failed(tx, poll, error, now=NOW + SECOND)
        broken_off = await shop_of(tx, shop.id)
        again = await begun(tx, shop, NOW + MINUTE)
        whole = OrderPage((first, second), NOW + MINUTE, 2, True)
        await polling.took(tx, again, whole, whole, now=NOW + MINUTE)

        assert (broken_off.watermark, broken_off.orders_seen_at) == (shop.watermark, None)
        assert again.window.since == poll.window.since
        assert await totals(tx) == {"TEA": 7}
        assert ((await shop_of(tx, shop.id)).watermark or NOW) > NOW


async def test_lines_of_an_order_that_take_one_part_are_one_effect(db: Database, account: UUID):
    """Tea by itself, in a box with two, and in the same box again."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, TEA=10)
        tea = (await product_ids(tx))["TEA"]
        await sets.save_set(tx, OWNER, None, code="BOX", parts=[SetPart(tea, 2)], now=NOW)
        await imported(tx, shop, a_listing("BOX"))
        await everywhere_right(tx)
        order = an_order("1", ("tea", 1), ("box", 1), ("box", 1))

        await take(tx, shop, order)
        effects = await rows(tx, "SELECT applied FROM order_effects")
        await take(tx, shop, an_order("1", ("tea", 1), ("box", 1)), at=NOW + MINUTE)
        gone = an_order("1", ("tea", 1), ("box", 1), status=OrderStatus.RELEASED)
        await take(tx, shop, gone, at=NOW + 2 * MINUTE)

        assert effects == [{"applied": 5}]
        assert (await movements(tx, "TEA"))[1:] == [
            ("ORDER", -5, 5),
            ("CANCEL", 2, 7),
            ("CANCEL", 3, 10),
        ]


async def test_a_late_order_is_counted_by_when_it_was_placed(db: Database, account: UUID):
    """It comes in after a count of the shelf that was made after it: it lay there, and deducts; see test_counting."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=10)
        await counted(tx, NOW, TEA=8)

        await take(tx, shop, an_order("1", ("tea", 1), placed_at=NOW - DAY), at=NOW + DAY)

        [moved] = await rows(
            tx,
            "SELECT effective_at, recorded_at > effective_at AS later FROM stock_movements WHERE cause = 'ORDER'",
        )
        assert moved == {"effective_at": NOW - DAY, "later": True}
        assert await totals(tx) == {"TEA": 7}
