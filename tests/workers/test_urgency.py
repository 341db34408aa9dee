"""A thousand changes are one push, and a zero goes before whatever else waits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import full_syncs, stock
from domain.store.database import Database, Tx
from tests.domain.services.story import counted
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town

RAKUTEN = MallKind.RAKUTEN
CHANGES = 1_000
CHANGES_AT_ONCE = 50
CALL = 400
"""As many numbers as one call of Rakuten's carries."""

LISTINGS = 5 * CALL


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, RAKUTEN) as made:
        yield made


async def test_a_thousand_changes_of_one_number_are_one_push(here: Town) -> None:
    await here.has(MUG=10_000)
    await here.starts()
    async with at_work(here.ctx, 0.05):
        await _sets(here, [9_999])
        await here.settled("MUG", 9_999)
    for start in range(0, CHANGES, CHANGES_AT_ONCE):
        await _sets(here, [9_000 - nth for nth in range(start, start + CHANGES_AT_ONCE)])

    async with at_work(here.ctx, 0.05):
        await here.settled("MUG", 9_001 - CHANGES)

    assert await _writes(here) == [9_999, 9_001 - CHANGES]


async def test_a_zero_overtakes_a_full_sync(here: Town) -> None:
    """It goes with the next call but one at the latest: one is on its way, and the next may be decided on."""
    rakuten = here.stalls[RAKUTEN]
    await here.has(**{f"TEA{nth}": 10 for nth in range(LISTINGS)})
    await here.starts()
    await rakuten.goes_wrong("slow", on=["writes"], seconds=0.5)

    async with at_work(here.ctx, 0.05):
        await here.db.run(here.account_id, lambda tx: _syncs(tx, here))
        await eventually(lambda: _is_sent(here))
        await here.db.run(here.account_id, lambda tx: _sells_out(tx, f"TEA{LISTINGS - 1}"))
        before = len(await _writes(here))
        await eventually(lambda: _shows(here, f"TEA{LISTINGS - 1}", 0))

    place = (await _writes(here)).index(0)
    assert place - before < 2 * CALL
    assert place < LISTINGS - CALL


async def _sets(here: Town, totals: list[int]) -> None:
    """One after the other, in one transaction."""

    async def work(tx: Tx) -> None:
        for total in totals:
            await counted(tx, now(), MUG=total)

    await here.db.run(here.account_id, work)


async def _syncs(tx: Tx, here: Town) -> Any:
    return await full_syncs.start(tx, SYSTEM, [here.stalls[RAKUTEN].id], now=now())


async def _sells_out(tx: Tx, code: str) -> None:
    ids = await product_ids(tx, [code])
    await stock.set_totals(tx, SYSTEM, [stock.NewTotal(ids[code], 0)], reflect=True, now=now())


async def _is_sent(here: Town) -> bool:
    return bool(await here.scalar("SELECT count(*) FROM pushes WHERE state = 'SENT'"))


async def _shows(here: Town, code: str, quantity: int) -> bool:
    return await here.stalls[RAKUTEN].shows(ref_at(RAKUTEN, code)) == quantity


async def _writes(here: Town) -> list[int]:
    writes = (await here.stalls[RAKUTEN].asks("GET", "state"))["writes"]
    return [each["quantity"] for each in writes]
