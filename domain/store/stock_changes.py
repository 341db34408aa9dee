"""The stock as those follow it who poll: all of it page by page, then what changed since, without a gap between the two.

Each page names codes; what there is to say of a code is read afterwards, so that it is at least as new as the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.store import events
from domain.store.database import Tx
from domain.store.events import CursorExpired

MOST_SCANNED = 20_000
"""Events that one page looks through; most of a log is not about stock."""

FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class StockPlace:
    """Where a reader stands in the event log. `beyond`: not yet through the whole stock, which is read up to this
    product and was begun when the log stood at `seq`."""

    seq: int
    beyond: UUID | None = None


@dataclass(frozen=True, slots=True)
class StockPage:
    """`more`: there is another page by now. `reload`: the whole stock begins here; what was known before is void."""

    codes: Sequence[str]
    place: StockPlace
    more: bool
    reload: bool = False


WHOLE = text(
    """
    SELECT id, code FROM products
    WHERE account_id = :account AND id > :beyond AND deleted_at IS NULL ORDER BY id LIMIT :most + 1
    """
)

SINCE = text(
    """
    WITH seen AS MATERIALIZED (
        SELECT seq, kind, node_id, payload FROM events
        WHERE account_id = :account AND seq > :seq ORDER BY seq LIMIT :scanned),
    told AS (
        SELECT seq, node_id, payload FROM seen WHERE kind = 'STOCK' ORDER BY seq LIMIT :most)
    SELECT s.last, s.looked_at, s.reload, t.seq, t.code
    FROM (SELECT max(seq) AS last, count(*) AS looked_at, bool_or(kind = 'RELOAD') AS reload FROM seen) AS s
    LEFT JOIN (
        SELECT told.seq, coalesce(p.code, told.payload ->> 'code') AS code FROM told
        LEFT JOIN products p ON p.account_id = :account AND p.id = told.node_id) AS t ON true
    ORDER BY t.seq
    """
)


async def page(tx: Tx, place: StockPlace | None, most: int) -> StockPage:
    """The next codes, at most `most`; None begins with the whole stock. Raises CursorExpired."""
    if place is None:
        return await _begun(tx, most)
    newest = await events.check_kept(tx, place.seq)
    if place.beyond is not None:
        return await _whole(tx, place.seq, place.beyond, newest, most)
    return await _since(tx, place.seq, newest, most)


async def _begun(tx: Tx, most: int) -> StockPage:
    """The log's end is read first: what changes from then on is told once the whole stock has been."""
    newest = await events.newest(tx)
    return await _whole(tx, newest, FIRST, newest, most)


async def _whole(tx: Tx, seq: int, beyond: UUID, newest: int, most: int) -> StockPage:
    rows = (
        await tx.execute(WHOLE, {"account": tx.account_id, "beyond": beyond, "most": most})
    ).all()
    codes = [row.code for row in rows[:most]]
    begins = beyond == FIRST
    if len(rows) > most:
        return StockPage(codes, StockPlace(seq, rows[most - 1].id), more=True, reload=begins)
    return StockPage(codes, StockPlace(seq), more=newest > seq, reload=begins)


async def _since(tx: Tx, seq: int, newest: int, most: int) -> StockPage:
    values = {"account": tx.account_id, "seq": seq, "scanned": MOST_SCANNED, "most": most}
    rows = (await tx.execute(SINCE, values)).all()
    seen = rows[0]
    if seen.looked_at and seen.last - seq != seen.looked_at:
        raise CursorExpired
    if seen.reload:
        return await _begun(tx, most)
    told = [row for row in rows if row.seq is not None]
    reached = _reached(seq, seen, told, most)
    codes = list(dict.fromkeys(row.code for row in told))
    return StockPage(codes, StockPlace(reached), more=reached < newest)


def _reached(seq: int, seen: Any, told: Sequence[Any], most: int) -> int:
    """A full page ends with its last event; else all that was looked through is done with."""
    if len(told) == most:
        return int(told[-1].seq)
    return int(seen.last) if seen.looked_at else seq
