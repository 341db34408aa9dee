"""A database that goes away: one line, one more when it is back, and nothing of what fails meanwhile but that."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.store.database import Database, Tx
from domain.store.outages import Outage
from renkei.database import APP
from renkei.engines.postgres import Postgres

Logs = list[Any]
LOST = DBAPIError("SELECT 1", None, asyncpg.InterfaceError("connection is closed"))
BROKEN = DBAPIError("SELECT 1", None, ValueError(), connection_invalidated=True)


@pytest.fixture
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as found:
        yield found


def events(logs: Logs) -> list[str]:
    """Ours: the server tells its own."""
    return [each["event"] for each in logs if each["log_level"] != "debug"]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("nobody listens"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation is in progress"),
        LOST,
        BROKEN,
        PoolTimeout("QueuePool limit"),
    ],
)
def test_however_many_find_it_away_it_is_told_once(logs: Logs, error: Exception) -> None:
    outage = Outage()

    for turn in ("sweep", "overdue", "events"):
        outage.failed("turn_failed", error, turn=turn)
    outage.over()
    outage.over()

    assert events(logs) == ["database_away", "database_back"]
    assert "exc_info" not in logs[0]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("A fault of ours."),
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
        asyncpg.UndefinedTableError("no such table"),
        FileNotFoundError("no such file"),
    ],
)
def test_what_is_no_lost_database_keeps_its_traceback(logs: Logs, error: Exception) -> None:
    Outage().failed("turn_failed", error, turn="sweep")

    assert [(each["event"], each["exc_info"], each["turn"]) for each in logs] == [
        ("turn_failed", error, "sweep")
    ]


async def test_a_database_that_is_not_there_is_told_by_whoever_asks_first(
    database: Postgres, account: UUID, logs: Logs
) -> None:
    """No socket stands where it should: that is how a server looks which was shut down."""
    nowhere = Database.at(database.url(user=APP).replace("host=", "host=/nowhere"))
    for _ in range(2):
        with pytest.raises(FileNotFoundError) as raised:
            async with nowhere.connection():
                pass
        nowhere.outage.failed("turn_failed", raised.value)
    await nowhere.close()

    assert events(logs) == ["database_away"]


async def test_connections_that_were_cut_are_told_once_until_one_is_there_again(
    database: Postgres, account: UUID, logs: Logs
) -> None:
    db = Database.at(database.url(user=APP), pool_size=1)

    async def is_cut(tx: Tx) -> None:
        await tx.scalar(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    for _ in range(2):
        with pytest.raises(asyncpg.PostgresConnectionError) as raised:
            await db.run(account, is_cut)
        db.outage.failed("work_failed", raised.value)
    assert events(logs) == ["database_away"]
    async with db.transaction(account) as tx:
        await tx.scalar(text("SELECT 1"))
    await db.close()

    assert events(logs) == ["database_away", "database_back"]
