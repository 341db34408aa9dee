"""Jobs with targets, done by the worker itself: rung for, found by the clock, and never left by one failure."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.model.actors import SYSTEM
from domain.model.jobs import JobKind
from domain.services import accounts, bulk
from domain.services.bulk import TARGETS_AT_ONCE
from domain.settings import Settings
from domain.store import job_targets, jobs, sync
from domain.store.database import Database, Tx
from integrations.bells import Bells
from renkei.database import APP
from renkei.engines.valkey import Valkey
from tests.databases import Scratch
from tests.domain.services.story import a_shop, in_stock
from tests.workers.town import KEY, at_work, eventually, now
from workers import main
from workers.bulk import do_targets
from workers.context import Context

MANY = TARGETS_AT_ONCE + 30


@pytest.fixture
async def account(db: Database) -> UUID:
    return await accounts.create_account(db, f"bulk-{uuid4().hex[:8]}", "Bulk")


async def unticked(db: Database, account: UUID) -> UUID:
    """A job that takes the tick off many listings."""

    async def work(tx: Tx) -> UUID:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **{f"T{number:03}": 9 for number in range(MANY)})
        targets = await sync.listings_of_shops(tx, [shop.id])
        wanted = {"on": False, "reflect": None}
        return await bulk.begin(tx, SYSTEM, "SET_SYNC", targets, wanted, now=now())

    return await db.run(account, work)


async def state(db: Database, account: UUID, job_id: UUID) -> tuple[str, int, int]:
    async with db.transaction(account) as tx:
        found = await tx.execute(
            text("SELECT state, done, failed FROM jobs WHERE id = :job"), {"job": job_id}
        )
        [row] = found.all()
        return row.state, row.done, row.failed


async def is_done(db: Database, account: UUID, job_id: UUID) -> None:
    async def so() -> bool:
        return await state(db, account, job_id) == ("DONE", MANY, 0)

    await eventually(so)


async def stopped(working: "asyncio.Task[None]") -> None:
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_turn_does_part_after_part_to_the_end(ctx: Context, account: UUID) -> None:
    job_id = await unticked(ctx.db, account)

    await do_targets(ctx, account, job_id)

    assert await state(ctx.db, account, job_id) == ("DONE", MANY, 0)


async def test_the_clock_finds_a_job_whose_bell_was_lost(ctx: Context, account: UUID) -> None:
    job_id = await unticked(ctx.db, account)
    async with at_work(ctx):
        await is_done(ctx.db, account, job_id)


@pytest.fixture
async def ringing(own_database: Scratch, valkey: Valkey) -> AsyncIterator[Database]:
    bells = Bells(valkey.url)
    db = Database.at(own_database.url(user=APP), bells)
    yield db
    await db.close()
    await bells.close()


async def test_a_bell_calls_the_worker_long_before_the_clock_comes_round(
    ringing: Database, own_database: Scratch, valkey: Valkey, account: UUID
) -> None:
    url = own_database.url(user=APP)
    settings = Settings(url, url, valkey.url, KEY, sweep_seconds=600)
    working = asyncio.create_task(main.run(settings))
    try:
        await is_done(ringing, account, await unticked(ringing, account))
    finally:
        await stopped(working)


async def test_what_the_rules_refuse_altogether_ends_the_job_with_its_reasons(
    ctx: Context, account: UUID
) -> None:
    nowhere = {"group": str(uuid4()), "joins": True, "reflect": None}

    async def work(tx: Tx) -> UUID:
        return await bulk.begin(tx, SYSTEM, "MOVE_TO_GROUP", [uuid4(), uuid4()], nowhere, now=now())

    job_id = await ctx.db.run(account, work)
    await do_targets(ctx, account, job_id)

    assert await state(ctx.db, account, job_id) == ("DONE", 2, 2)


async def test_a_failure_of_ours_leaves_the_job_to_a_later_time(
    ctx: Context, account: UUID
) -> None:
    async def work(tx: Tx) -> UUID:
        asked = {"action": "OF_ANOTHER_VERSION"}
        job_id = await jobs.create(
            tx, JobKind.BULK_CHANGE, total=1, input=asked, actor=SYSTEM, due_at=now()
        )
        await job_targets.add(tx, job_id, [uuid4()])
        return job_id

    job_id = await ctx.db.run(account, work)
    await do_targets(ctx, account, job_id)

    async with ctx.db.transaction(account) as tx:
        found = await tx.execute(
            text("SELECT state, stumbles, due_at FROM jobs WHERE id = :job"), {"job": job_id}
        )
        [row] = found.all()
    assert (row.state, row.stumbles) == ("WAITING", 1)
    assert row.due_at > now()
