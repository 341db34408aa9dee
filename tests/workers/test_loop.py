"""The main job, end to end: malls over HTTP, connectors, workers, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.model.malls import MallKind
from domain.store.database import Database
from tests.workers.town import Town, ref_at, town
from workers import clock

KINDS = (MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at every mall, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made:
        working = asyncio.create_task(clock.run(made.ctx, sweep_seconds=0.1))
        yield made
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_purchase_at_one_mall_lowers_the_others(here: Town, kind: MallKind) -> None:
    await here.has(MUG=10)
    await here.starts()

    await here.stalls[kind].sells(ref_at(kind, "MUG"), 3)

    await here.settled("MUG", 7)
    assert await here.total("MUG") == 7
