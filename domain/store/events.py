"""An account's event log, read in the order in which its transactions committed (DESIGN §2.13).

Numbers of one account have no gaps, so what is missing behind a cursor was forgotten, never late.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from domain.model.errors import DomainError
from domain.model.events import EventKind
from domain.store.database import Tx

MOST_ROWS = 1_000

Facts = Mapping[str, Any]
"""What is told of a node beside what its event says."""

NOTHING: Facts = MappingProxyType({})


class CursorExpired(DomainError):
    code = "EVENT_CURSOR_EXPIRED"

    def __init__(self) -> None:
        super().__init__(
            "What happened after this cursor is no longer kept. Read the screen again, with its eventCursor, and "
            "subscribe after that."
        )


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    seq: int
    at: datetime
    kind: EventKind
    change: str
    node_id: UUID | None
    shop_id: UUID | None
    product_id: UUID | None
    payload: Mapping[str, Any]


SPAN = text(
    """
    SELECT c.last, coalesce((SELECT min(e.seq) FROM events e WHERE e.account_id = :account), c.last + 1) AS oldest
    FROM event_counters c WHERE c.account_id = :account
    """
)

AFTER = text(
    """
    SELECT seq, at, kind, change, node_id, shop_id, product_id, payload FROM events
    WHERE account_id = :account AND seq > :cursor ORDER BY seq LIMIT :most
    """
)


def _living(table: str, alive: str = "true") -> TextClause:
    return text(
        f"SELECT id FROM {table} WHERE account_id = :account AND id = ANY (:ids) AND {alive}"  # noqa: S608
    )


LIVING: Mapping[EventKind, TextClause] = MappingProxyType(
    {
        EventKind.ERROR: _living("sync_errors"),
        EventKind.DIFF: _living("listings", "deleted_at IS NULL"),
        EventKind.SHOP: _living("shops"),
        EventKind.JOB: _living("jobs"),
    }
)

ERRORS_LIKE = text(
    """
    SELECT id FROM sync_errors WHERE account_id = :account AND id = ANY (:ids)
        AND (cast(:levels AS smallint[]) IS NULL OR level = ANY (:levels))
        AND (cast(:kinds AS text[]) IS NULL OR kind = ANY (:kinds))
    """
)

CODED = text("SELECT id FROM products WHERE account_id = :account AND code = ANY (:codes)")


async def newest(tx: Tx) -> int:
    """Everything up to here has been committed; 0 before the first event."""
    return int((await tx.execute(SPAN, {"account": tx.account_id})).one().last)


async def check_kept(tx: Tx, cursor: int) -> int:
    """The newest number. Raises CursorExpired unless all that came after the cursor is still there."""
    span = (await tx.execute(SPAN, {"account": tx.account_id})).one()
    if not span.oldest - 1 <= cursor <= span.last:
        raise CursorExpired
    return int(span.last)


async def after(tx: Tx, cursor: int, at_most: int = MOST_ROWS) -> list[LoggedEvent]:
    """The next events in their order; none when the cursor is the newest. Raises CursorExpired for a gap."""
    values = {"account": tx.account_id, "cursor": cursor, "most": at_most}
    rows = [_event(row) for row in await tx.execute(AFTER, values)]
    if rows and rows[-1].seq - cursor != len(rows):
        raise CursorExpired
    return rows


async def living(tx: Tx, kind: EventKind, ids: Collection[UUID]) -> Mapping[UUID, Facts]:
    """Those of the nodes of these events that can still be read."""
    rows = await tx.execute(LIVING[kind], {"account": tx.account_id, "ids": list(ids)})
    return dict.fromkeys(rows.scalars(), NOTHING)


async def errors_like(
    tx: Tx,
    ids: Collection[UUID],
    levels: Sequence[int] | None,
    kinds: Sequence[str] | None,
) -> Mapping[UUID, Facts]:
    """Those errors that are of one of the levels and kinds; None is any."""
    values = {"account": tx.account_id, "ids": list(ids), "levels": levels, "kinds": kinds}
    return dict.fromkeys((await tx.execute(ERRORS_LIKE, values)).scalars(), NOTHING)


async def products_coded(tx: Tx, codes: Collection[str]) -> set[UUID]:
    return set(
        (await tx.execute(CODED, {"account": tx.account_id, "codes": list(codes)})).scalars()
    )


def _event(row: Any) -> LoggedEvent:
    return LoggedEvent(
        row.seq,
        row.at,
        EventKind(row.kind),
        row.change,
        row.node_id,
        row.shop_id,
        row.product_id,
        row.payload,
    )
