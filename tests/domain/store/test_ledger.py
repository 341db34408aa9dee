"""The database sees to it that a total is the sum of its movements, whoever writes."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from domain.model.stock import Cause
from domain.services.ledger import Ledger
from domain.store import stock
from domain.store.database import Database, Tx
from domain.store.outages import sqlstate
from domain.store.stock import Movement
from renkei.engines.postgres import Postgres
from tests.domain.services.rows import NOW, row
from tests.factories import a_product

REFUSED = "42501"
BROKEN = "23000"


@pytest.fixture
async def superuser(database: Postgres) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(database.url(), poolclass=NullPool)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def tea(db: Database, account: UUID) -> UUID:
    """A product that holds five, in two movements."""
    async with db.transaction(account) as tx:
        product_id = await a_product(tx, "TEA", total=3)
        ledger = await Ledger.locked(tx, [product_id])
        ledger.move(product_id, 2, Cause.ADJUSTED, effective_at=NOW)
        await ledger.write(tx)
    return product_id


def movement(product_id: UUID, **other: Any) -> Movement:
    right = {"version": 3, "cause": Cause.ORDER, "delta": -1, "before": 5, "effective_at": NOW}
    return Movement(product_id, **(right | other))


@pytest.mark.parametrize(
    ("case", "other"),
    [
        ("a balance that is not the total", {"before": 4}),
        ("a line that was written already", {"version": 2}),
        ("a line left out", {"version": 4}),
    ],
)
async def test_a_movement_that_does_not_follow_is_refused(
    db: Database, account: UUID, case: str, other: dict[str, Any]
):
    product_id = await tea(db, account)
    with pytest.raises(asyncpg.PostgresError) as error:
        async with db.transaction(account) as tx:
            await stock.append(tx, [movement(product_id, **other)])
    assert sqlstate(error.value) == BROKEN, case
    async with db.transaction(account) as tx:
        assert await total_of(tx) == {"total": 5, "stock_version": 2}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE products SET total = 9",
        "UPDATE products SET stock_version = 9",
        "UPDATE stock_movements SET delta = 9",
        "DELETE FROM stock_movements",
        "DELETE FROM products",
        "INSERT INTO products (account_id, code, total) VALUES (:account, 'MUG', 9)",
    ],
)
async def test_nobody_writes_a_total_or_rewrites_a_movement(
    db: Database, account: UUID, statement: str
):
    await tea(db, account)
    with pytest.raises(asyncpg.PostgresError) as error:
        async with db.transaction(account) as tx:
            await tx.execute(
                text(statement), {"account": account} if ":account" in statement else {}
            )
    assert sqlstate(error.value) == REFUSED


async def test_a_running_balance_of_many_movements_is_written_at_once(db: Database, account: UUID):
    product_id = await tea(db, account)
    async with db.transaction(account) as tx:
        ledger = await Ledger.locked(tx, [product_id])
        for delta in (-3, 0, -4, 1):
            ledger.move(product_id, delta, Cause.ORDER, effective_at=NOW)
        ids = await ledger.write(tx)
        announced = [event.payload["total"] for event in tx.events]
        found = await total_of(tx)
    assert (len(set(ids)), announced) == (3, [2, -2, -1])
    assert found == {"total": -1, "stock_version": 5}


async def test_the_check_finds_a_total_that_is_not_the_sum_of_its_ledger(
    db: Database, account: UUID, superuser: AsyncConnection
):
    product_id = await tea(db, account)
    async with db.transaction(account) as tx:
        right = await stock.unbalanced(tx)
    await superuser.execute(
        text("UPDATE products SET total = 6 WHERE id = :product"), {"product": product_id}
    )
    await superuser.commit()
    async with db.transaction(account) as tx:
        [wrong] = await stock.unbalanced(tx)
    assert right == []
    assert (wrong.code, wrong.total, wrong.ledger, wrong.movements) == ("TEA", 6, 5, 2)


async def test_another_account_locks_and_moves_nothing(
    db: Database, account: UUID, another_account: UUID
):
    product_id = await tea(db, account)
    async with db.transaction(another_account) as tx:
        assert await stock.lock(tx, [product_id]) == {}
    with pytest.raises(asyncpg.PostgresError):
        async with db.transaction(another_account) as tx:
            await stock.append(tx, [movement(product_id)])


async def total_of(tx: Tx) -> dict[str, Any]:
    return await row(tx, "SELECT total, stock_version FROM products")
