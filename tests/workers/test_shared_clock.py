"""Workers whose hosts' clocks disagree: what one notes for later, another takes up in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from domain.model.malls import MallKind
from domain.settings import Settings
from domain.store.database import Database
from renkei.database import APP
from renkei.engines.valkey import Valkey
from tests.databases import Scratch
from tests.workers.town import KEY, ref_at, town
from workers import main

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
TEN_MINUTES = 600.0


@asynccontextmanager
async def a_worker(settings: Settings, own: Callable[[], float]) -> AsyncIterator[None]:
    working = asyncio.create_task(main.run(settings, own))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_workers_ten_minutes_off_take_orders_and_send_numbers_like_any_other(
    db: Database, own_database: Scratch, valkey: Valkey, malls: str
) -> None:
    url = own_database.url(user=APP)
    settings = Settings(url, url, valkey.url, KEY, sweep_seconds=0.1)
    async with town(db, malls, RAKUTEN, YAHOO) as here:
        await here.has(MUG=10)
        await here.starts()

        async with a_worker(settings, lambda: time.time() + TEN_MINUTES):
            await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)
            await here.settled("MUG", 7)
        async with a_worker(settings, lambda: time.time() - TEN_MINUTES):
            await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 2)
            await here.settled("MUG", 5)
