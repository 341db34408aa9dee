"""A mall whose clock is ahead of ours, by too little to be noticed: what it tells of has happened by its clock, not by ours."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.malls import MallOrder, MallTime, OrderPage, OrderStatus, PushOutcome, PushResult
from domain.model.orders import CancelPolicy
from domain.services import polling, settling, stock
from domain.services.stock import NewTotal
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import a_shop, an_order, in_stock, product_ids, shop_of, shown
from tests.domain.services.turns import claimed, lease_of, numbers, sent

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOLDS, RELEASED = OrderStatus.HOLDS, OrderStatus.RELEASED


async def fetched(tx: Tx, shop: Shop, order: MallOrder, *, ahead: timedelta, at: timedelta) -> None:
    poll = await polling.begin(tx, shop.id, "test", now=NOW + at)
    assert poll is not None
    page = OrderPage((order,), NOW + at + ahead, 1, True)
    await polling.took(tx, poll, page, page, now=NOW + at + SECOND / 10)
    await polling.end(tx, poll, now=NOW + at + SECOND / 10)


async def written(tx: Tx, shop: Shop, total: int, *, ahead: timedelta, at: timedelta) -> None:
    """A person counts, and the mall takes the number within its own second."""
    items = [NewTotal((await product_ids(tx))["TEA"], total)]
    await stock.set_totals(tx, OWNER, items, reflect=True, now=NOW + at)
    batch = await sent(tx, shop, at=NOW + at)
    when = MallTime(NOW + at + ahead, NOW + at + ahead + SECOND)
    results = [PushResult(each.ref, PushOutcome.APPLIED, when) for each in batch.attempts]
    await settling.settle(tx, batch, results, now=NOW + at)


@pytest.mark.parametrize("ahead", [0 * SECOND, 2 * SECOND, 4 * SECOND])
async def test_a_cancel_soon_after_our_write_is_not_taken_for_one_before_it(
    db: Database, account: UUID, ahead: timedelta
):
    """Ten were written, then two came back to the mall's counter, which our total does not follow: it shows twelve."""
    async with db.transaction(account) as tx:
        shop = await a_shop(
            tx,
            orders_running=True,
            watermark=NOW - MINUTE,
            orders_seen_at=NOW,
            cancel_policy=CancelPolicy.IGNORE.value,
            mall_restocks=True,
        )
        await in_stock(tx, shop, TEA=8)
        order = an_order("A-1", ("tea", 2), placed_at=NOW - MINUTE)
        await fetched(tx, shop, order, ahead=ahead, at=0 * SECOND)
        await written(tx, shop, 10, ahead=ahead, at=MINUTE)

        cancelled = an_order("A-1", ("tea", 2), status=RELEASED, placed_at=NOW - MINUTE)
        await fetched(tx, shop, cancelled, ahead=ahead, at=MINUTE + 3 * SECOND)

        assert (await shown(tx, shop, "tea")).base in (None, 12)
        shop = await shop_of(tx, shop.id)
        batch = await claimed(tx, shop, await lease_of(tx, shop), at=NOW + 2 * MINUTE)
        assert numbers(batch) == [10]
