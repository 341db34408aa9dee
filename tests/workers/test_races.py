"""A purchase between our look at a mall and our write to it: the write puts the unit back, the order takes it off again."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)
MUG = "MUG"


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at every mall, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made:
        await made.has(MUG=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def counts(here: Town, total: int) -> None:
    """A person says how many there are, and every mall is told."""

    async def work(tx: Tx) -> None:
        mug = (await product_ids(tx, [MUG]))[MUG]
        await stock.set_totals(tx, SYSTEM, [stock.NewTotal(mug, total)], reflect=True, now=now())

    await here.db.run(here.account_id, work)


async def knows_its_orders(here: Town) -> None:
    """Every shop's orders were fetched: its numbers may go out."""

    async def so() -> bool:
        return int(await here.scalar("SELECT count(orders_seen_at) FROM shops")) == len(KINDS)

    await eventually(so)


async def has_written(here: Town, kind: MallKind, quantity: int) -> bool:
    sent = "SELECT count(*) FROM mall_update_logs WHERE shop_id = :shop AND after = :quantity AND applied_at IS NOT NULL"
    shop_id = here.stalls[kind].id
    return int(await here.scalar(sent, shop=shop_id, quantity=quantity)) > 0


async def asks_for_orders(here: Town, kind: MallKind, *, seconds: int) -> None:
    """The shop's orders are fetched that often from now on, the next time after that long."""
    change = (
        "UPDATE shops SET order_poll_seconds = cast(:seconds AS int),"
        " next_order_poll_at = clock_timestamp() + make_interval(secs => cast(:seconds AS int)) WHERE id = :shop RETURNING id"
    )
    await here.query(change, seconds=seconds, shop=here.stalls[kind].id)
    await eventually(lambda: _nobody_asks(here, kind))


async def _nobody_asks(here: Town, kind: MallKind) -> bool:
    """A fetch that was under way has ended."""
    asks = "SELECT count(*) FROM shop_leases WHERE shop_id = :shop AND kind = 'ORDERS' AND until >= clock_timestamp()"
    return int(await here.scalar(asks, shop=here.stalls[kind].id)) == 0


async def buys_unseen(here: Town, kind: MallKind) -> None:
    """Three are bought at the mall, and for an hour nobody asks for its orders."""
    await knows_its_orders(here)
    await asks_for_orders(here, kind, seconds=3600)
    await here.stalls[kind].sells(ref_at(kind, MUG), 3)
    assert await here.stalls[kind].shows(ref_at(kind, MUG)) == 7


@pytest.mark.parametrize(("kind", "total"), [(RAKUTEN, 20), (YAHOO, 8), (AMAZON, 20)])
async def test_what_our_write_put_back_is_taken_off_when_its_order_comes(
    here: Town, kind: MallKind, total: int
) -> None:
    await buys_unseen(here, kind)

    await counts(here, total)

    await eventually(lambda: has_written(here, kind, total))
    assert await here.stalls[kind].shows(ref_at(kind, MUG)) == total, "the three are back"
    assert await here.total(MUG) == total, "and nobody knows of the sale"
    await asks_for_orders(here, kind, seconds=1)
    await here.settled(MUG, total - 3)
    assert await here.total(MUG) == total - 3
    assert await here.scalar("SELECT sum(applied) FROM order_effects") == 3


async def test_a_zero_is_written_before_the_order_is_known_and_puts_nothing_back(
    here: Town,
) -> None:
    await buys_unseen(here, YAHOO)

    await counts(here, 0)

    await eventually(lambda: has_written(here, YAHOO, 0))
    assert await here.total(MUG) == 0
    await asks_for_orders(here, YAHOO, seconds=1)
    await eventually(lambda: _is_total(here, -3))
    await here.settled(MUG, 0)


async def _is_total(here: Town, total: int) -> bool:
    return await here.total(MUG) == total
