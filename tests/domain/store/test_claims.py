"""Which numbers go out next, and what it costs to find them, whatever waits."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from sqlalchemy import TextClause, text

from domain.store import pushes
from domain.store.database import Database
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import scratch

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
RISEN_BEFORE = NOW - timedelta(minutes=10)
ACCOUNT, SHOP = uuid4(), uuid4()
MANY = 20_000

Waiting = tuple[str, int, int, int]
"""Name, lane, for how many minutes it has waited, in how many minutes it may go."""


class Shelf:
    """Rows of one shop that wait, without the listings they belong to."""

    def __init__(self, owner: asyncpg.Connection, db: Database) -> None:
        self.owner, self.db = owner, db

    async def has(self, waiting: Sequence[Waiting]) -> dict[UUID, str]:
        names = {uuid4(): name for name, *_ in waiting}
        await self.owner.executemany(
            "INSERT INTO listing_sync (account_id, listing_id, shop_id, wanted, lane, expected, waiting_since, next_try_at)"
            " VALUES ($1, $2, $3, 1, $4, 5, $5, $6)",
            [
                (ACCOUNT, id, SHOP, lane, minutes(-since), minutes(until) if until else None)
                for id, (_, lane, since, until) in zip(names, waiting, strict=True)
            ],
        )
        return names

    async def asked(self, at_most: int) -> list[UUID]:
        return [row.listing_id for row in await self.rows(pushes.DUE, at_most)]

    async def lanes(self, at_most: int) -> list[int]:
        return [row.lane for row in await self.rows(pushes.WAITING, at_most)]

    async def rows(self, statement: TextClause, at_most: int) -> list[Any]:
        parameters = {
            "account": ACCOUNT, "shop": SHOP, "now": NOW, "last_lane": 2, "watermark": None, "fetches_orders": False,
            "risen_before": RISEN_BEFORE, "at_most": at_most,
        }  # fmt: skip
        async with self.db.transaction(ACCOUNT) as tx:
            return (await tx.execute(statement, parameters)).all()

    async def plan(self, statement: TextClause, at_most: int) -> Any:
        explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
        (row,) = await self.rows(explained, at_most)
        return row[0] if isinstance(row[0], list) else orjson.loads(row[0])


@pytest.fixture
async def shelf(database: Postgres) -> AsyncIterator[Shelf]:
    async with scratch(database) as own:
        owner = await asyncpg.connect(own.url().replace("+asyncpg", ""))
        await owner.execute("SET session_replication_role = replica")
        db = Database.at(own.url(user=APP))
        yield Shelf(owner, db)
        await db.close()
        await owner.close()


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


ROWS: list[Waiting] = [
    ("a rise", 2, 3, 0),
    ("an old rise", 2, 12, 0),
    ("a fall", 1, 5, 0),
    ("an old fall", 1, 11, 0),
    ("a zero", 0, 2, 0),
    ("an older zero", 0, 15, 0),
    ("a zero that failed", 0, 20, 1),
    ("a fall that may go again", 1, 4, -1),
]


@pytest.mark.parametrize(
    ("at_most", "told"),
    [
        (
            9,
            [
                "an older zero",
                "an old fall",
                "a zero",
                "an old rise",
                "a fall",
                "a fall that may go again",
                "a rise",
            ],
        ),
        (2, ["an older zero", "an old fall"]),
    ],
)
async def test_the_most_urgent_go_first_and_what_waits_for_long_rises_one_lane(
    shelf: Shelf, at_most: int, told: list[str]
) -> None:
    names = await shelf.has(ROWS)
    assert [names[id] for id in await shelf.asked(at_most)] == told


@pytest.mark.parametrize(
    ("at_most", "lanes"), [(9, [0, 0, 1, 1, 1, 2, 2]), (2, [0, 0]), (3, [0, 0, 1])]
)
async def test_what_waits_is_told_by_its_lanes_as_far_as_it_may_go(
    shelf: Shelf, at_most: int, lanes: list[int]
) -> None:
    await shelf.has(ROWS)
    assert await shelf.lanes(at_most) == lanes


async def test_rows_that_another_transaction_holds_keep_no_other_waiting(shelf: Shelf) -> None:
    names = await shelf.has(ROWS)
    held = [id for id, name in names.items() if "zero" in name]
    async with shelf.owner.transaction():
        await shelf.owner.execute(
            "SELECT FROM listing_sync WHERE listing_id = ANY ($1) FOR UPDATE", held
        )
        assert [names[id] for id in await shelf.asked(1)] == ["an old fall"]


@pytest.mark.parametrize("statement", [pushes.DUE, pushes.WAITING], ids=["to send", "to tell"])
async def test_only_what_goes_out_is_looked_at_however_much_waits(
    shelf: Shelf, statement: TextClause
) -> None:
    """Half of it may not go yet, and has waited longest."""
    rises: list[Waiting] = [("", 2, 9, 0)] * (MANY // 2)
    failed: list[Waiting] = [("", 2, 30, 60)] * (MANY // 2)
    await shelf.has([*rises, *failed, *ROWS])
    await shelf.owner.execute("ANALYZE listing_sync")

    assert most_rows(await shelf.plan(statement, 10)) < MANY // 10


def most_rows(plan: Any) -> float:
    """Of any step of the plan: those that it took, and those that it looked at for nothing."""
    if isinstance(plan, list):
        return max(map(most_rows, plan), default=0)
    if not isinstance(plan, dict):
        return 0
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)
    return max(float(own), *map(most_rows, plan.values()))
