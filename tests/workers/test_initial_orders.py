"""初期受注取得 at real malls, by a worker that goes by its clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.initial_orders import InitialOrderMode
from domain.model.malls import MallKind
from domain.services import initial_orders
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)
BASELINE, APPLY = InitialOrderMode.BASELINE, InitialOrderMode.APPLY


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, *KINDS) as made, at_work(made.ctx):
        yield made


async def fetched(here: Town, mode: InitialOrderMode) -> UUID:
    """The initial orders of every shop of the last three days, once they are here."""
    ids = [stall.id for stall in here.stalls.values()]

    async def ask(tx: Tx) -> UUID:
        since = now() - timedelta(days=3)
        return await initial_orders.ask(tx, SYSTEM, ids, since=since, mode=mode, now=now())

    job_id = await here.db.run(here.account_id, ask)

    async def over() -> bool:
        state = await here.scalar("SELECT state FROM jobs WHERE id = :job", job=job_id)
        return state == "DONE"

    await eventually(over, because="every shop's orders were fetched")
    return job_id


@pytest.mark.parametrize(
    ("case", "mode", "total", "state"),
    [
        ("seen, and out of the total already", BASELINE, 30, "BASELINE"),
        ("deducted", APPLY, 24, "APPLIED"),
    ],
)
async def test_orders_from_before_the_start_are_fetched_once(
    here: Town, case: str, mode: InitialOrderMode, total: int, state: str
) -> None:
    await here.has(MUG=30)
    for kind, stall in here.stalls.items():
        await stall.sells(ref_at(kind, "MUG"), 2)

    await _a_second_later(here)
    await fetched(here, mode)
    await fetched(here, mode)

    assert await here.total("MUG") == total, case
    assert await here.scalar("SELECT count(*) FROM orders") == 3
    assert await here.scalar("SELECT DISTINCT state FROM order_lines") == state
    counted = await here.query(
        "SELECT job_id, sum(orders), sum(deducted) FROM job_shops GROUP BY job_id ORDER BY job_id"
    )
    assert [tuple(row)[1:] for row in counted] == [(3, 30 - total), (0, 0)]


async def _a_second_later(here: Town) -> None:
    """Until the orders are older than the malls' clocks can tell: in doubt they would deduct."""
    until = now() + timedelta(seconds=1.2)
    await eventually(lambda: asyncio.sleep(0, now() > until))


async def test_ordinary_orders_go_on_beside_it(here: Town) -> None:
    await here.has(MUG=30)
    await here.starts()
    waiting = asyncio.create_task(fetched(here, BASELINE))

    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 3)

    await here.settled("MUG", 27)
    await waiting
    assert await here.total("MUG") == 27
