"""Totals and the append-only ledger behind them. A total changes by a movement only; the database sees to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.stock import Cause, CountBasis, Counts
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class ProductStock:
    """One product, locked. `version` advances by one with each movement."""

    id: UUID
    code: str
    kind: str
    managed: bool
    total: int
    version: int
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the ledger. `effective_at`: for an order, when it was placed at the mall."""

    product_id: UUID
    version: int
    cause: Cause
    delta: int
    before: int
    effective_at: datetime
    order_id: UUID | None = None
    reason: str | None = None
    actor: Mapping[str, Any] | None = None

    @property
    def after(self) -> int:
        return self.before + self.delta


LOCK = text(
    """
    SELECT id, code, kind, managed, total, stock_version AS version, counted_at FROM products
    WHERE account_id = :account AND id = ANY (:products) AND (:deleted OR deleted_at IS NULL)
    ORDER BY id FOR NO KEY UPDATE
    """
)

APPEND = text(
    """
    INSERT INTO stock_movements (account_id, product_id, stock_version, cause, reason, delta, balance_before,
        balance_after, order_id, actor, effective_at)
    SELECT :account, m.product_id, m.version, m.cause, m.reason, m.delta, m.before, m.after, m.order_id, m.actor,
        m.effective_at
    FROM unnest(cast(:products AS uuid[]), cast(:versions AS bigint[]), cast(:causes AS text[]),
        cast(:reasons AS text[]), cast(:deltas AS int[]), cast(:befores AS int[]), cast(:afters AS int[]),
        cast(:orders AS uuid[]), cast(:actors AS jsonb[]), cast(:effective AS timestamptz[]))
        WITH ORDINALITY AS m (product_id, version, cause, reason, delta, before, after, order_id, actor, effective_at, nth)
    ORDER BY m.nth
    RETURNING id
    """
)

COUNTED = text(
    "UPDATE products SET counted_at = :at WHERE account_id = :account AND id = ANY (:products)"
)

NOTE_COUNT = text(
    """
    UPDATE products SET counted_at = :at, free_counted_at = CASE WHEN :free THEN cast(:at AS timestamptz) END
    WHERE account_id = :account AND id = ANY (:products)
    """
)

COUNTS = text(
    "SELECT id, counted_at, free_counted_at FROM products WHERE account_id = :account AND id = ANY (:products)"
)

MOVED_SINCE = text(
    """
    SELECT product_id, sum(delta)::int AS units FROM stock_movements
    WHERE account_id = :account AND product_id = ANY (:products) AND effective_at > :at
        AND id >= renkei_uuid_at(cast(:at AS timestamptz) - interval '1 day')
    GROUP BY product_id
    """
)

UNBALANCED = text(
    """
    SELECT p.id, p.code, p.total, coalesce(m.sum, 0) AS ledger, p.stock_version, coalesce(m.count, 0) AS movements
    FROM products p LEFT JOIN (
        SELECT product_id, sum(delta) AS sum, count(*) AS count FROM stock_movements
        WHERE account_id = :account GROUP BY product_id) AS m ON m.product_id = p.id
    WHERE p.account_id = :account AND (p.total, p.stock_version) <> (coalesce(m.sum, 0), coalesce(m.count, 0))
    ORDER BY p.code LIMIT 100
    """
)


@dataclass(frozen=True, slots=True)
class Unbalanced:
    """A product whose total is not the sum of its ledger: an incident, never expected."""

    id: UUID
    code: str
    total: int
    ledger: int
    stock_version: int
    movements: int


async def lock(
    tx: Tx, product_ids: Collection[UUID], *, deleted: bool = False
) -> dict[UUID, ProductStock]:
    """By id; held until commit, taken in id order (DESIGN §2.11). Foreign products are left out, and deleted ones
    unless they are asked for."""
    if not product_ids:
        return {}
    parameters = {"account": tx.account_id, "products": list(product_ids), "deleted": deleted}
    rows = await tx.execute(LOCK, parameters)
    return {row.id: ProductStock(**row._mapping) for row in rows}


async def append(tx: Tx, movements: Sequence[Movement]) -> list[UUID]:
    """Writes the movements in order and so moves the totals; their ids, in the same order."""
    if not movements:
        return []
    rows = await tx.execute(
        APPEND,
        {
            "account": tx.account_id,
            "products": [m.product_id for m in movements],
            "versions": [m.version for m in movements],
            "causes": [m.cause.value for m in movements],
            "reasons": [m.reason for m in movements],
            "deltas": [m.delta for m in movements],
            "befores": [m.before for m in movements],
            "afters": [m.after for m in movements],
            "orders": [m.order_id for m in movements],
            "actors": [orjson.dumps(m.actor).decode() if m.actor else None for m in movements],
            "effective": [m.effective_at for m in movements],
        },
    )
    return list(rows.scalars())


async def counted(tx: Tx, product_ids: Sequence[UUID], at: datetime) -> None:
    """From here on, orders of a listing that is linked later apply only when placed after `at`."""
    await tx.execute(COUNTED, {"account": tx.account_id, "products": list(product_ids), "at": at})


async def note_count(tx: Tx, product_ids: Sequence[UUID], at: datetime, basis: CountBasis) -> None:
    """A FREE count has taken off every order up to `at`; a count of the shelf ends what an earlier one took off."""
    parameters = {"account": tx.account_id, "products": list(product_ids), "at": at}
    await tx.execute(NOTE_COUNT, parameters | {"free": basis is CountBasis.FREE})


async def counts(tx: Tx, product_ids: Collection[UUID]) -> dict[UUID, Counts]:
    """When each of these products was counted."""
    if not product_ids:
        return {}
    parameters = {"account": tx.account_id, "products": list(product_ids)}
    rows = await tx.execute(COUNTS, parameters)
    return {row.id: Counts(row.counted_at, row.free_counted_at) for row in rows}


async def moved_since(tx: Tx, product_ids: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """The sum of what moved each of these products after `at`, by when it was effective; those that stood still are
    left out. Nothing is effective more than a day after it was recorded."""
    parameters = {"account": tx.account_id, "products": list(product_ids), "at": at}
    rows = await tx.execute(MOVED_SINCE, parameters)
    return {row.product_id: row.units for row in rows}


async def unbalanced(tx: Tx) -> list[Unbalanced]:
    """The check job: every product whose ledger does not sum to its total (at most 100)."""
    rows = await tx.execute(UNBALANCED, {"account": tx.account_id})
    return [Unbalanced(**row._mapping) for row in rows]
