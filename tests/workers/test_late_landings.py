"""A call that nobody waits for any more may still be done: what follows it is repeated until it can be no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.reflect import SOONEST_LANDING
from domain.services import stock
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town

RAKUTEN = MallKind.RAKUTEN
SWEEP_SECONDS = 0.05
DEADLINE_SECONDS = 0.3
LATE_SECONDS = 1.2
"""After the call: later than its deadline and the next call, sooner than a call lands at the latest."""


@asynccontextmanager
async def shop_at(db: Database, malls: str, kind: MallKind) -> AsyncIterator[Town]:
    async with town(db, malls, kind, patience=DEADLINE_SECONDS) as here:
        await here.has(MUG=10)
        await here.starts()
        yield here


@asynccontextmanager
async def a_lost_eight(db: Database, malls: str, kind: MallKind) -> AsyncIterator[Town]:
    """A worker whose call with an 8 had no answer in time: the mall still does it, late."""
    async with shop_at(db, malls, kind) as here:
        await here.stalls[kind].goes_wrong("late", calls=1, seconds=LATE_SECONDS)
        async with at_work(here.ctx, SWEEP_SECONDS):
            await _sets(here, 8)
            await eventually(lambda: _has(here, "state = 'UNKNOWN'"))
            yield here


@pytest.mark.parametrize("kind", MallKind)
async def test_an_old_number_that_lands_late_is_put_right(
    db: Database, malls: str, kind: MallKind
) -> None:
    async with a_lost_eight(db, malls, kind) as here:
        await _sets(here, 6)

        await eventually(lambda: _was_written(here, kind, 8))
        await here.settled("MUG", 6)
        assert await _written(here, kind) == [8, 6]


@pytest.mark.parametrize("kind", MallKind)
async def test_a_zero_goes_out_at_once_and_again_when_nothing_can_land_any_more(
    db: Database, malls: str, kind: MallKind
) -> None:
    async with a_lost_eight(db, malls, kind) as here:
        await _sets(here, 0)

        await eventually(lambda: _was_written(here, kind, 8))
        await here.settled("MUG", 0)
        *before, last = await _written(here, kind)
        assert (8 in before, last) == (True, 0)
        eight, first, *again = await here.query("SELECT sent_at FROM pushes ORDER BY sent_at")
        lost_at = eight.sent_at + timedelta(seconds=DEADLINE_SECONDS)
        assert len(again) == 1 or first.sent_at > lost_at + SOONEST_LANDING


async def test_a_worker_that_follows_one_that_died_waits_for_what_that_one_sent(
    db: Database, malls: str
) -> None:
    async with shop_at(db, malls, RAKUTEN) as here:
        await here.stalls[RAKUTEN].goes_wrong("late", calls=1, seconds=LATE_SECONDS)
        async with at_work(replace(here.ctx, holder="first"), SWEEP_SECONDS):
            await _sets(here, 8)
            await eventually(lambda: _has(here, "quantity = 8"))
        await _sets(here, 6)

        async with at_work(replace(here.ctx, holder="second"), SWEEP_SECONDS):
            await eventually(lambda: _has(here, "quantity = 6 AND reads > 0"))
            await here.settled("MUG", 6)
        assert await _written(here, RAKUTEN) == [8, 6]


async def _sets(here: Town, total: int) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, ["MUG"])
        totals = [stock.NewTotal(ids["MUG"], total)]
        await stock.set_totals(tx, SYSTEM, totals, reflect=True, now=now())

    await here.db.run(here.account_id, work)


async def _has(here: Town, what: str) -> bool:
    return int(await here.scalar(f"SELECT count(*) FROM pushes WHERE {what}")) > 0


async def _written(here: Town, kind: MallKind) -> list[int]:
    """What was written to the mall's counter, in the order in which the mall did it."""
    writes = (await here.stalls[kind].asks("GET", "state"))["writes"]
    ref = ref_at(kind, "MUG")
    return [each["quantity"] for each in writes if ref.item_code in str(each)]


async def _was_written(here: Town, kind: MallKind, quantity: int) -> bool:
    return quantity in await _written(here, kind)
