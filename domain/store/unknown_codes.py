"""Listings whose mall knows no such code."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx

NOTE = text(
    """
    UPDATE listings AS l SET unknown_at_mall = r.unknown, version = l.version + 1
    FROM (SELECT s.id, r.unknown FROM unnest(cast(:listings AS uuid[]), cast(:unknown AS bool[])) AS r (id, unknown)
        JOIN listings s ON s.account_id = :account AND s.id = r.id AND s.unknown_at_mall <> r.unknown
        ORDER BY s.id FOR NO KEY UPDATE OF s) AS r
    WHERE l.account_id = :account AND l.id = r.id
    RETURNING l.id
    """
)


async def note(tx: Tx, unknown: Mapping[UUID, bool]) -> Sequence[UUID]:
    """Whether the mall of each of these knows it not; those of which that is news."""
    values = {
        "account": tx.account_id,
        "listings": list(unknown),
        "unknown": list(unknown.values()),
    }
    return list((await tx.execute(NOTE, values)).scalars())
