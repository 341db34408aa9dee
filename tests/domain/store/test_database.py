"""Transactions: what is announced, what is tried again, and what becomes of one that is cancelled."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from domain.model.bells import Bell
from domain.model.events import MOST_EVENTS, EventKind
from domain.store.database import Database, Event, RoleMayBypass, Tx
from domain.store.outages import sqlstate
from renkei.database import APP
from renkei.engines.postgres import Postgres

STOCK = Event(EventKind.STOCK, "ORDER")


async def _events(db: Database, account: UUID) -> list[tuple[int, str]]:
    async with db.transaction(account) as tx:
        rows = await tx.execute(text("SELECT seq, kind FROM events ORDER BY seq"))
        return [(row.seq, row.kind) for row in rows]


async def test_events_are_numbered_without_gaps_in_the_order_of_commits(
    db: Database, account: UUID
) -> None:
    before = len(await _events(db, account))
    for kinds in ([STOCK, STOCK], [], [STOCK]):
        async with db.transaction(account) as tx:
            tx.emit(*kinds)

    numbers = [seq for seq, _ in await _events(db, account)]
    assert numbers == list(range(1, before + 4))


async def test_a_rollback_takes_its_events_and_bells_with_it(
    database: Postgres, account: UUID
) -> None:
    rung: list[Sequence[Bell]] = []

    async def ring(account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        rung.append(bells)

    db = Database.at(database.url(user=APP), ring)
    before = await _events(db, account)
    rung.clear()
    with pytest.raises(LookupError):
        await _announce_and_fail(db, account)

    assert rung == []
    assert await _events(db, account) == before
    await db.close()


async def _announce_and_fail(db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        tx.emit(STOCK)
        tx.ring(account, "REFLECT")
        raise LookupError


async def test_too_much_at_once_is_told_as_a_reload(db: Database, account: UUID) -> None:
    before = await _events(db, account)
    async with db.transaction(account) as tx:
        tx.emit(*[STOCK] * (MOST_EVENTS + 1))

    assert (await _events(db, account))[len(before) :] == [(len(before) + 1, "RELOAD")]


async def test_a_cancelled_transaction_gives_its_connection_to_nobody(
    database: Postgres, account: UUID
) -> None:
    """Cancelled at every step, BEGIN and COMMIT too. One connection in the pool: were it handed on inside the old
    transaction, its rows would stay locked for ever."""
    db = Database.at(database.url(user=APP), pool_size=1)
    for steps in range(80):
        working = asyncio.create_task(_touch(db, account))
        for _ in range(steps):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        async with db.connection() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            assert not raw.driver_connection.is_in_transaction()
    await db.close()


async def _touch(db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        await tx.execute(text("UPDATE accounts SET version = version"))


async def test_what_the_database_asks_to_be_tried_again_is(db: Database, account: UUID) -> None:
    calls = []

    async def work(tx: Tx) -> str:
        calls.append(tx)
        if len(calls) < 3:
            await tx.execute(
                text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
            )
        return "done"

    assert await db.run(account, work) == "done"
    assert len(calls) == 3


async def test_what_cannot_be_mended_by_trying_again_is_raised_at_once(
    db: Database, account: UUID
) -> None:
    calls = []

    async def work(tx: Tx) -> None:
        calls.append(tx)
        await tx.execute(text("SELECT 1 / 0"))

    with pytest.raises(asyncpg.PostgresError) as raised:
        await db.run(account, work)
    assert sqlstate(raised.value) == "22012"
    assert len(calls) == 1


async def test_a_login_that_row_level_security_would_not_hold_is_refused(
    database: Postgres, db: Database
) -> None:
    await db.check_role()
    superuser = Database.at(database.url())
    with pytest.raises(RoleMayBypass, match="IN ROLE renkei_app"):
        await superuser.check_role()
    await superuser.close()


async def test_no_statement_waits_for_ever(db: Database) -> None:
    bounds = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    async with db.connection() as connection:
        shown = [await connection.scalar(text(f"SHOW {name}")) for name in bounds]
    assert shown == ["2s", "10s", "10s"]
