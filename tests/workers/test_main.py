"""The worker process itself: bells, a Valkey that dies, a worker that died in the middle of a call."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.model.actors import SYSTEM
from domain.model.bells import Bell
from domain.model.malls import MallKind
from domain.services import reflect, reflect_jobs
from domain.settings import Settings
from domain.store import leases, sync
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from integrations.bells import Bells
from renkei.database import APP
from renkei.engines.datadir import data_directory
from renkei.engines.valkey import Valkey, embedded_valkey
from tests.databases import Scratch
from tests.workers.town import KEY, Town, at_work, eventually, now, ref_at, shop_of, town
from workers import main

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING


def _settings(own_database: Scratch, valkey: Valkey, sweep_seconds: float) -> Settings:
    url = own_database.url(user=APP)
    return Settings(url, url, valkey.url, KEY, sweep_seconds=sweep_seconds)


@pytest.fixture
async def rung(own_database: Scratch, valkey: Valkey, malls: str) -> AsyncIterator[Town]:
    """A merchant whose commits ring bells."""
    bells = Bells(valkey.url)
    db = Database.at(own_database.url(user=APP), bells)
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        yield made
    await db.close()
    await bells.close()


async def _stopped(working: "asyncio.Task[None]") -> None:
    """It ends because it is told to, not by a fault of its own."""
    working.cancel()
    [ended] = await asyncio.gather(working, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended


async def test_a_bell_is_answered_long_before_the_clock_comes_round(
    rung: Town, own_database: Scratch, valkey: Valkey
) -> None:
    working = asyncio.create_task(main.run(_settings(own_database, valkey, sweep_seconds=600)))
    try:
        await rung.has(MUG=10)
        await rung.starts()
        await rung.settled("MUG", 10)
    finally:
        await _stopped(working)


@pytest.fixture
def mortal() -> Iterator[Valkey]:
    """A Valkey that may be killed."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    with data_directory(path) as data, embedded_valkey(data) as server:
        yield server
    shutil.rmtree(path, ignore_errors=True)


async def test_valkey_killed_and_started_empty_loses_nothing(
    own_database: Scratch, malls: str, mortal: Valkey
) -> None:
    working = asyncio.create_task(main.run(_settings(own_database, mortal, sweep_seconds=0.2)))
    bells = Bells(mortal.url)
    db = Database.at(own_database.url(user=APP), bells)
    try:
        async with town(db, malls, RAKUTEN, YAHOO) as here:
            await here.has(MUG=10)
            await here.starts()
            await here.settled("MUG", 10)

            mortal.process.kill()
            mortal.process.wait()
            await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)
            await here.settled("MUG", 7)

            mortal.start()
            await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 2)
            await here.settled("MUG", 5)
            await bells(
                here.account_id, False, [Bell(here.account_id, here.stalls[YAHOO].id, "REFLECT")]
            )
            await eventually(lambda: _none_waits(bells))
    finally:
        await _stopped(working)
        await db.close()
        await bells.close()


async def _none_waits(bells: Bells) -> bool:
    """A worker takes bells again."""
    return await bells.waiting() == 0


async def test_what_a_dead_worker_had_sent_is_unknown_and_sent_again(
    db: Database, malls: str
) -> None:
    async with town(db, malls, RAKUTEN) as here:
        await here.has(MUG=10)
        await here.starts()
        shop_id = here.stalls[RAKUTEN].id

        async def ask(tx: Tx) -> None:
            listing_ids = await sync.listings_of_shops(tx, [shop_id])
            await reflect_jobs.ask(tx, SYSTEM, listing_ids, now=now())

        async def claim_and_die(tx: Tx) -> None:
            epoch = await leases.take(tx, shop_id, LeaseKind.REFLECT, "dead", timedelta(0))
            assert epoch is not None
            batch = await reflect.claim(
                tx, await shop_of(tx, shop_id), epoch, at_most=10, now=now()
            )
            assert batch is not None
            assert [each.quantity for each in batch.attempts] == [10]

        await here.scalar("UPDATE shops SET orders_seen_at = now() RETURNING true")
        await here.db.run(here.account_id, ask)
        await here.db.run(here.account_id, claim_and_die)
        async with at_work(here.ctx):
            await here.settled("MUG", 10)

        states = await here.query("SELECT state FROM pushes ORDER BY sent_at")
        assert [row.state for row in states][:2] == ["UNKNOWN", "APPLIED"]
