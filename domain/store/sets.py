"""Which products make up a set, and which sets hold a product. What is left of parts is read with the numbers (sync.py)."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import text

from domain.model.events import StockChange
from domain.model.sets import SetPart
from domain.store import stock_events
from domain.store.database import Tx

SAVE = text(
    """
    WITH gone AS (
        DELETE FROM set_parts WHERE account_id = :account AND set_id = :set AND part_id <> ALL (:parts) RETURNING 1),
    kept AS (
        INSERT INTO set_parts AS p (account_id, set_id, part_id, count)
        SELECT :account, :set, r.part_id, r.count
        FROM unnest(cast(:parts AS uuid[]), cast(:counts AS int[])) AS r (part_id, count)
        ON CONFLICT (account_id, set_id, part_id) DO UPDATE SET count = excluded.count WHERE p.count <> excluded.count
        RETURNING 1)
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM kept)
    """
)

CLEAR = text(
    "DELETE FROM set_parts WHERE account_id = :account AND set_id = ANY (:sets) RETURNING set_id"
)

PARTS = text(
    """
    SELECT DISTINCT part_id FROM set_parts WHERE account_id = :account AND set_id = ANY (:sets)
    """
)

HOLDING = text(
    """
    SELECT sp.part_id, array_agg(p.code ORDER BY p.code) AS codes FROM set_parts sp
    JOIN products p ON p.account_id = sp.account_id AND p.id = sp.set_id
    WHERE sp.account_id = :account AND sp.part_id = ANY (:parts) AND sp.set_id <> ALL (:but)
    GROUP BY sp.part_id
    """
)


async def save(tx: Tx, set_id: UUID, parts: Sequence[SetPart]) -> None:
    """These parts and no others."""
    differ = await tx.scalar(
        SAVE,
        {
            "account": tx.account_id,
            "set": set_id,
            "parts": [part.product_id for part in parts],
            "counts": [part.count for part in parts],
        },
    )
    if differ:
        stock_events.changed(tx, [set_id], StockChange.NUMBERS)


async def clear(tx: Tx, set_ids: Collection[UUID]) -> None:
    """They hold no parts any more."""
    rows = await tx.execute(CLEAR, {"account": tx.account_id, "sets": list(set_ids)})
    stock_events.changed(tx, rows.scalars(), StockChange.NUMBERS)


async def part_ids(tx: Tx, set_ids: Collection[UUID]) -> list[UUID]:
    rows = await tx.execute(PARTS, {"account": tx.account_id, "sets": list(set_ids)})
    return list(rows.scalars())


async def holding(
    tx: Tx, part_ids: Collection[UUID], *, but: Collection[UUID] = ()
) -> dict[UUID, list[str]]:
    """By product, the codes of the sets that hold it, `but` for these sets; who is in none is left out."""
    rows = await tx.execute(
        HOLDING, {"account": tx.account_id, "parts": list(part_ids), "but": list(but)}
    )
    return {row.part_id: row.codes for row in rows}
