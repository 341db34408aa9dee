"""Which commits wait for the disk: read at the very commit, by a trigger that PostgreSQL puts off until then."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from domain.model.events import EventKind
from domain.services import accounts
from domain.store import budgets, leases, rates
from domain.store.database import Database, Event
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import scratch

WATCHED = ("clock_leases", "rate_buckets", "product_groups")
NOTES = """
ALTER DATABASE {name} SET synchronous_commit = on;
CREATE TABLE commits (waits text);
CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.commits VALUES (current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
"""
NOTED = """
CREATE CONSTRAINT TRIGGER note_commit AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_commit();
"""
GROUP = text("INSERT INTO product_groups (account_id, name) VALUES (:account, 'Tea')")


class Watched:
    """A database that keeps what each commit waited for."""

    def __init__(self, owner: asyncpg.Connection, db: Database) -> None:
        self.owner, self.db = owner, db

    async def commits(self) -> list[str]:
        return [row[0] for row in await self.owner.fetch("SELECT waits FROM commits")]


@pytest.fixture
async def watched(database: Postgres) -> AsyncIterator[Watched]:
    async with scratch(database) as made:
        owner = await asyncpg.connect(made.url().replace("+asyncpg", ""))
        await owner.execute(NOTES.format(name=made.name))
        for table in WATCHED:
            await owner.execute(NOTED.format(table=table))
        db = Database.at(made.url(user=APP))
        yield Watched(owner, db)
        await db.close()
        await owner.close()


@pytest.mark.parametrize(
    ("hurries", "told", "waits"),
    [(False, False, "on"), (True, False, "off"), (True, True, "on")],
    ids=["as a rule it waits", "what may be lost does not", "what others were told of does"],
)
async def test_a_transaction_waits_for_the_disk_unless_it_may_be_lost(
    watched: Watched, hurries: bool, told: bool, waits: str
) -> None:
    account = await accounts.create_account(watched.db, "TEA", "Tea House")
    async with watched.db.transaction(account) as tx:
        await tx.execute(GROUP, {"account": account})
        if hurries:
            tx.may_be_lost()
        if told:
            tx.emit(Event(EventKind.RELOAD))

    assert await watched.commits() == [waits]
    async with watched.db.connection() as connection:
        assert await connection.scalar(text("SHOW synchronous_commit")) == "on"


Work = Callable[[Database], Awaitable[object]]


async def turn(db: Database) -> None:
    assert await leases.turn(db, "sweep", "one", timedelta(minutes=1))


async def reserve(db: Database) -> None:
    patience = timedelta(seconds=8)
    await rates.reserve(db, "mall", rate=1, burst=1, per_day=None, today="today", patience=patience)


async def block(db: Database) -> None:
    await rates.block(db, "mall", timedelta(seconds=5))


async def draw(db: Database) -> None:
    await budgets.draw(db, "token", need=5, extra=5, returned=0, budget=100, restored=10)


@pytest.mark.parametrize("work", [turn, reserve, block, draw], ids=lambda work: work.__name__)
async def test_turns_and_places_do_not_wait_for_the_disk(watched: Watched, work: Work) -> None:
    await work(watched.db)
    assert await watched.commits() == ["off"]


async def test_a_turn_that_cannot_be_had_is_not_even_locked(watched: Watched) -> None:
    await turn(watched.db)

    taken = [
        await leases.turn(watched.db, "sweep", who, timedelta(minutes=1)) for who in ("one", "two")
    ]

    assert taken == [False, False]
    assert await watched.owner.fetchval("SELECT xmax::text FROM clock_leases") == "0"
