"""Writing an account's event log: the last statement of a transaction takes its numbers, in commit order (DESIGN §2.13).

Whoever changes the stock of a product tells of that product alone. The sets that hold it are found here, once, when all
that the transaction changed is known.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from domain.model.events import MOST_EVENTS, EventKind, StockChange
from domain.store.statements import Rows


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an account's event log; `payload` holds small facts only, never a secret."""

    kind: EventKind
    change: str = ""
    node_id: UUID | None = None
    shop_id: UUID | None = None
    product_id: UUID | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


Execute = Callable[[TextClause, Mapping[str, Any]], Awaitable[Rows]]

HOLDING = text(
    """
    SELECT set_id, array_agg(part_id) AS parts FROM set_parts
    WHERE account_id = :account AND part_id = ANY (:parts) AND set_id <> ALL (:parts)
    GROUP BY set_id ORDER BY set_id
    """
)

APPEND = text(
    """
    WITH taken AS (
        UPDATE event_counters SET last = last + :count WHERE account_id = :account
        RETURNING last - :count AS before)
    INSERT INTO events (account_id, seq, at, kind, change, node_id, shop_id, product_id, payload)
    SELECT :account, taken.before + e.nth, clock_timestamp(), e.kind, e.change, e.node_id, e.shop_id, e.product_id,
        e.payload
    FROM taken, unnest(cast(:kinds AS text[]), cast(:changes AS text[]), cast(:nodes AS uuid[]), cast(:shops AS uuid[]),
        cast(:products AS uuid[]), cast(:payloads AS jsonb[]))
        WITH ORDINALITY AS e (kind, change, node_id, shop_id, product_id, payload, nth)
    """
)

JUMP = text("UPDATE event_counters SET last = last + :by WHERE account_id = :account")

OF_NO_SET: frozenset[str] = frozenset({StockChange.ADDED, StockChange.NAMED})
"""Changes of a product by which the sets that hold it stay as they are."""


async def append(execute: Execute, account_id: UUID, events: Sequence[Event]) -> None:
    """Locks the account's counter until the commit, which must be next."""
    if not events:
        return
    told = list(events)
    if len(told) <= MOST_EVENTS:
        told += await _of_sets(execute, account_id, events)
    if len(told) > MOST_EVENTS:
        told = [Event(EventKind.RELOAD)]
    await execute(APPEND, {"account": account_id} | _columns(told))


async def jump(execute: Execute, account_id: UUID, by: int) -> None:
    """Leaves numbers out that may have been told already. Locks the account's counter until the commit."""
    await execute(JUMP, {"account": account_id, "by": by})


async def _of_sets(execute: Execute, account_id: UUID, events: Sequence[Event]) -> list[Event]:
    """One event for each set that holds a product whose stock changed; it names the last cause among its parts."""
    parts = {
        event.node_id: event
        for event in events
        if event.kind is EventKind.STOCK and event.node_id and event.change not in OF_NO_SET
    }
    if not parts:
        return []
    rows = await execute(HOLDING, {"account": account_id, "parts": list(parts)})
    place = {part_id: nth for nth, part_id in enumerate(parts)}
    return [_of_set(row.set_id, parts[max(row.parts, key=place.__getitem__)]) for row in rows]


def _of_set(set_id: UUID, part: Event) -> Event:
    payload = {"order": part.payload.get("order")}
    return Event(EventKind.STOCK, part.change, set_id, product_id=set_id, payload=payload)


def _columns(events: Sequence[Event]) -> dict[str, Any]:
    return {
        "count": len(events),
        "kinds": [event.kind.value for event in events],
        "changes": [event.change for event in events],
        "nodes": [event.node_id for event in events],
        "shops": [event.shop_id for event in events],
        "products": [event.product_id for event in events],
        "payloads": [json.dumps(dict(event.payload), default=str) for event in events],
    }
