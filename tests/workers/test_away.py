"""The database goes away under a worker and comes back: two lines of log, and the work goes on."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from domain.model.malls import MallKind
from domain.store.database import Database
from renkei.database import APP, bring_up_to_date, create_database, let_app_in
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import Postgres, embedded_postgres
from tests.workers.town import Town, eventually, ref_at, town
from workers import clock

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A server that may be stopped."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    try:
        with data_directory(path) as data, embedded_postgres(data, fsync=False) as server:
            yield server
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
async def here(mortal: Postgres, malls: str) -> AsyncIterator[Town]:
    await create_database(mortal)
    await bring_up_to_date(mortal.url())
    await let_app_in(mortal)
    db = Database.at(mortal.url(user=APP))
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        await made.has(MUG=10)
        await made.starts()
        yield made
    await db.close()


async def test_every_loop_together_tells_that_it_is_away_once_and_once_that_it_is_back(
    here: Town, mortal: Postgres
) -> None:
    with structlog.testing.capture_logs() as logs:

        def told() -> list[str]:
            return [
                f"{each['event']} {each.get('exc_info', '')!r}".removesuffix(" ''")
                for each in logs
                if each["log_level"] != "debug"
            ]

        working = asyncio.create_task(clock.run(here.ctx, sweep_seconds=0.1))
        await here.settled("MUG", 10)
        mortal.stop()
        await eventually(lambda: asyncio.sleep(0, "database_away" in told()))
        await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)
        mortal.start()
        await eventually(lambda: asyncio.sleep(0, "database_back" in told()))
        await here.settled("MUG", 7)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    assert told() == ["database_away", "database_back"]
