"""Attempts to write one number to one listing, committed before the call and settled after it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.model.malls import ItemRef, WriteMode
from domain.store.database import Tx
from domain.store.logs import BY_NOW
from domain.store.sync import SyncRow, row_of

MOST_ATTEMPTS = 30_000
"""That are told apart."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is sent. `quantity`: what the mall should show then, in either mode. `before`: what we believed it showed.
    `generation`: what it answers when it settles."""

    id: UUID
    listing_id: UUID
    ref: ItemRef
    quantity: int
    mode: WriteMode
    generation: int
    lane: int
    before: int | None
    attempts: int
    sent_at: datetime
    fields: Mapping[str, str]

    @property
    def number(self) -> int:
        """As it is sent: the quantity, or the signed change of it."""
        if self.mode is WriteMode.ABSOLUTE:
            return self.quantity
        assert self.before is not None
        return self.quantity - self.before


@dataclass(frozen=True, slots=True)
class Settled:
    """How one attempt ended."""

    attempt: Attempt
    state: str
    accepted_at: datetime | None = None
    applied_at: datetime | None = None
    read_back_at: datetime | None = None
    mall_code: str = ""
    mall_message: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A number that is to be looked at: `accepted`, so that nobody knows whether it stands, or called applied by the mall.

    `before`: what we believed the mall showed until then. `base`: what the mall's counter should read by now, as its own
    sales moved it. None where nobody knows.
    """

    id: UUID
    listing_id: UUID
    ref: ItemRef
    quantity: int
    before: int | None
    base: int | None
    reads: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """An attempt whose holder died before it settled."""

    id: UUID
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Sought:
    """What may go out of a shop. `watermark`: orders are known up to it, where it `fetches_orders`; `risen_before`: what
    waits since then has risen by a lane."""

    shop: UUID
    now: datetime
    last_lane: int
    watermark: datetime | None
    fetches_orders: bool
    risen_before: datetime
    at_most: int


LOCKED_BY_OTHERS = 200
"""So many rows that other transactions hold do not keep the next ones from going."""

MAY_GO = """
    l.account_id = :account AND l.shop_id = :shop AND l.wanted > l.done AND l.push_id IS NULL AND l.expected IS NOT NULL
    AND CASE WHEN l.next_try_at IS NULL THEN '-infinity' ELSE l.next_try_at END <= :now AND l.lane <= :last_lane
    AND (l.lane = 0 OR l.feed_id IS NULL AND (l.base_source <> 'READ_BACK' OR l.base_latest IS NULL
        OR NOT :fetches_orders OR l.base_latest <= :watermark OR l.expected < l.base))
"""


def _first_of(which: str, urgency: int) -> str:
    """The oldest of one lane, read in the order in which its index holds them."""
    return f"""
        (SELECT l.listing_id, l.lane, {urgency} AS urgency, l.waiting_since FROM listing_sync l WHERE {MAY_GO} AND {which}
        ORDER BY l.waiting_since LIMIT :at_most + {LOCKED_BY_OTHERS})
    """  # noqa: S608  constants


FIRST_OF_ALL = f"""
    SELECT * FROM (
        {_first_of("l.lane = 0", 0)}
        UNION ALL {_first_of("l.lane = 1 AND l.waiting_since <= :risen_before", 0)}
        UNION ALL {_first_of("l.lane = 1 AND l.waiting_since > :risen_before", 1)}
        UNION ALL {_first_of("l.lane = 2 AND l.waiting_since <= :risen_before", 1)}
        UNION ALL {_first_of("l.lane = 2 AND l.waiting_since > :risen_before", 2)}
    ) AS lanes ORDER BY urgency, waiting_since
"""  # noqa: S608  constants

DUE = text(
    f"""
    SELECT l.* FROM ({FIRST_OF_ALL} LIMIT :at_most + {LOCKED_BY_OTHERS}) AS due
    JOIN listing_sync l ON l.listing_id = due.listing_id AND {MAY_GO}
    ORDER BY due.urgency, due.waiting_since LIMIT :at_most FOR UPDATE OF l SKIP LOCKED
    """  # noqa: S608  constants
)

WAITING = text(
    f"SELECT l.lane FROM listing_sync l WHERE {MAY_GO} ORDER BY l.lane, l.waiting_since LIMIT :at_most"  # noqa: S608  constants
)

REFS = text(
    """
    SELECT l.id, l.item_code, l.variant_code, uuidv7() AS attempt_id, coalesce((
        SELECT jsonb_object_agg(k.key, v.value) FROM unnest(cast(:keys AS text[])) AS k (key)
        LEFT JOIN listing_fields f ON f.account_id = :account AND f.listing_id = l.id AND f.key = k.key
        CROSS JOIN LATERAL (SELECT CASE WHEN f.key IS NULL THEN l.fields ->> k.key ELSE f.value END) AS v (value)
        WHERE v.value <> '' AND f.owner IS DISTINCT FROM 'MALL'), '{}') AS fields
    FROM listings l WHERE l.account_id = :account AND l.id = ANY (:listings)
    """
)

INSERT = text(
    """
    INSERT INTO pushes (account_id, id, listing_id, shop_id, call_id, feed_id, generation, epoch, lane, mode, quantity,
        before, state, waiting_at, sent_at)
    SELECT :account, p.id, p.listing_id, :shop, :call, :feed, p.generation, :epoch, p.lane, p.mode, p.quantity, p.before,
        'SENT', p.waiting_at, :sent_at
    FROM unnest(cast(:ids AS uuid[]), cast(:listings AS uuid[]), cast(:generations AS bigint[]), cast(:lanes AS int[]),
        cast(:modes AS text[]), cast(:quantities AS int[]), cast(:befores AS int[]), cast(:waiting AS timestamptz[]))
        AS p (id, listing_id, generation, lane, mode, quantity, before, waiting_at)
    """
)

SEND = text(
    f"""
    WITH sent AS ({INSERT.text})
    UPDATE listing_sync l SET claimed = l.wanted, attempts = p.attempts, push_id = p.id, push_state = 'SENT'
    FROM unnest(cast(:ids AS uuid[]), cast(:listings AS uuid[]), cast(:attempts AS int[])) AS p (id, listing_id, attempts)
    WHERE l.account_id = :account AND l.listing_id = p.listing_id
    """  # noqa: S608  constants
)

SETTLE = text(
    """
    WITH settled AS (
        UPDATE pushes AS p SET state = s.state, accepted_at = s.accepted_at, applied_at = s.applied_at,
            read_back_at = s.read_back_at, mall_code = s.mall_code, mall_message = s.mall_message
        FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:accepted AS timestamptz[]),
            cast(:applied AS timestamptz[]), cast(:read_back AS timestamptz[]), cast(:codes AS text[]),
            cast(:messages AS text[])) AS s (id, state, accepted_at, applied_at, read_back_at, mall_code, mall_message)
        WHERE p.account_id = :account AND p.id = s.id
        RETURNING p.*),
    superseded AS (
        UPDATE pushes SET state = CASE state WHEN 'ACCEPTED' THEN 'SUPERSEDED' ELSE state END, read_back_at = NULL
        WHERE account_id = :account AND listing_id = ANY (:told) AND id <> ALL (:ids)
            AND (state = 'ACCEPTED' OR state = 'APPLIED' AND read_back_at IS NOT NULL))
    INSERT INTO mall_update_logs (account_id, shop_id, listing_id, push_id, before, after, state, sent_at, applied_at,
        mall_code, mall_message)
    SELECT account_id, shop_id, listing_id, id, before, quantity, state, sent_at, applied_at, mall_code, mall_message
    FROM settled WHERE state <> 'SUPERSEDED'
    """
)

LOG = text(
    """
    INSERT INTO mall_update_logs (account_id, shop_id, listing_id, push_id, before, after, state, sent_at, applied_at,
        mall_code, mall_message)
    SELECT :account, :shop, p.listing_id, p.id, p.before, p.quantity, p.state, p.sent_at, p.applied_at, p.mall_code,
        p.mall_message
    FROM pushes p WHERE p.account_id = :account AND p.id = ANY (:ids)
    """
)

APPLIED = text(
    f"""
    UPDATE mall_update_logs SET state = 'APPLIED', applied_at = :at
    WHERE account_id = :account AND listing_id = ANY (:listings) AND push_id = ANY (:ids) AND {BY_NOW}
        AND id >= renkei_uuid_at(uuid_extract_timestamp(:first) - interval '1 minute')
    """  # noqa: S608  constants
)
"""A line is younger than the attempt that it tells of, unless the clock was put back meanwhile, by a little."""


SEEN = text(
    """
    UPDATE pushes SET state = 'APPLIED', applied_at = :at, reads = reads + 1, read_back_at = NULL
    WHERE account_id = :account AND id = ANY (:ids) AND state = 'ACCEPTED'
    RETURNING id, listing_id
    """
)

NOT_SEEN = text(
    """
    UPDATE pushes SET reads = reads + 1, read_back_at = :again_at,
        state = CASE WHEN reads + 1 >= :most THEN 'UNKNOWN' ELSE state END
    WHERE account_id = :account AND id = ANY (:ids) AND state = 'ACCEPTED'
    RETURNING id, state
    """
)

READ_LATER = text(
    """
    UPDATE pushes SET read_back_at = :at
    WHERE account_id = :account AND id = ANY (:ids) AND state IN ('ACCEPTED', 'APPLIED') AND read_back_at IS NOT NULL
    """
)

UNREAD = text(
    """
    SELECT p.id, p.listing_id, l.item_code, l.variant_code, p.quantity, p.before, s.base, p.reads,
        p.state = 'ACCEPTED' AS accepted
    FROM pushes p
    JOIN listings l ON l.account_id = p.account_id AND l.id = p.listing_id
    JOIN listing_sync s ON s.account_id = p.account_id AND s.listing_id = p.listing_id
    WHERE p.account_id = :account AND p.shop_id = :shop AND p.read_back_at <= :now
        AND p.state IN ('ACCEPTED', 'APPLIED')
    ORDER BY p.read_back_at LIMIT :at_most
    """
)

LOOKED_AT = text(
    """
    UPDATE pushes SET reads = reads + CASE WHEN id = ANY (:shown) THEN 1 ELSE 0 END, read_back_at = NULL,
        state = CASE WHEN id = ANY (:not_applied) THEN 'UNKNOWN' ELSE state END
    WHERE account_id = :account AND id = ANY (:ids) AND state = 'APPLIED'
    """
)

NEVER_SEEN = text(
    """
    SELECT listing_id FROM listing_sync
    WHERE account_id = :account AND listing_id = ANY (:listings) AND base_source = 'NEVER_SEEN'
    """
)

LOST = text(
    """
    SELECT p.id, p.listing_id, p.sent_at FROM (
        SELECT s.id FROM pushes s
        WHERE s.account_id = :account AND s.shop_id = :shop AND s.state = 'SENT' AND s.feed_id IS NULL
        UNION
        SELECT l.push_id FROM listing_sync l
        WHERE l.account_id = :account AND l.shop_id = :shop AND l.wanted > l.done AND l.push_id IS NOT NULL) AS open
    CROSS JOIN LATERAL (SELECT * FROM pushes p WHERE p.account_id = :account AND p.id = open.id OFFSET 0) AS p
    WHERE p.feed_id IS NULL AND p.epoch < :epoch
    ORDER BY p.listing_id LIMIT 10000
    """
)
"""Those that wait for their end, whether or not it was told late: a turn may be taken away before anybody takes it over.
Looked up one by one (OFFSET 0), as in sync.py: the planner takes many to wait, and would go through all attempts of a
week, at each turn, for the few that are under way."""

LOSE = text(
    """
    UPDATE pushes SET state = 'UNKNOWN', mall_message = 'No answer was recorded.'
    WHERE account_id = :account AND id = ANY (:ids) AND state = 'SENT' RETURNING id
    """
)

DOUBT_ACCEPTED = text(
    """
    UPDATE pushes SET read_back_at = NULL, state = CASE state WHEN 'ACCEPTED' THEN 'UNKNOWN' ELSE state END
    WHERE account_id = :account AND shop_id = ANY (:shops) AND feed_id IS NULL
        AND (state = 'ACCEPTED' OR state = 'APPLIED' AND read_back_at IS NOT NULL)
    """
)

LET_GO = text(
    """
    WITH open AS (
        UPDATE pushes SET state = 'UNKNOWN', mall_message = 'The shop was disconnected.'
        WHERE account_id = :account AND shop_id = :shop AND state IN ('SENT', 'ACCEPTED'))
    UPDATE pushes SET read_back_at = NULL
    WHERE account_id = :account AND shop_id = :shop AND state = 'APPLIED' AND read_back_at IS NOT NULL
    """
)


async def doubt_accepted(tx: Tx, shop_ids: Collection[UUID]) -> None:
    """Whatever these shops' malls took lately, nobody knows what they show: no number of ours is looked for there."""
    await tx.execute(DOUBT_ACCEPTED, {"account": tx.account_id, "shops": list(shop_ids)})


async def due(tx: Tx, sought: Sought) -> list[SyncRow]:
    """The rows of listings whose number may go out now, locked, most urgent first. Rows that another transaction holds are
    left for its bell. After a reading, other numbers than zero wait until orders are known up to it."""
    return [row_of(row) for row in await tx.execute(DUE, _named(tx, sought))]


async def waiting(tx: Tx, sought: Sought) -> list[int]:
    """The lanes of so many as `due` would answer at most, the most urgent lane first. Nothing is locked."""
    return list((await tx.execute(WAITING, _named(tx, sought))).scalars())


def _named(tx: Tx, sought: Sought) -> dict[str, object]:
    return {"account": tx.account_id} | {
        name: getattr(sought, name) for name in Sought.__dataclass_fields__
    }


async def refs(
    tx: Tx, listing_ids: Collection[UUID], keys: Collection[str]
) -> dict[UUID, tuple[UUID, ItemRef, Mapping[str, str]]]:
    """The id of a new attempt on each listing, how the mall names it, and our values of these fields of the mall's."""
    parameters = {"account": tx.account_id, "listings": list(listing_ids), "keys": list(keys)}
    rows = await tx.execute(REFS, parameters)
    return {
        row.id: (row.attempt_id, ItemRef(row.item_code, row.variant_code), row.fields)
        for row in rows
    }


async def send(
    tx: Tx,
    shop_id: UUID,
    call_id: UUID,
    epoch: int,
    attempts: Sequence[Attempt],
    waiting_since: Sequence[datetime],
) -> None:
    """These go out now; their listings' rows, which are locked, say so."""
    values = _inserted(tx, shop_id, call_id, epoch, attempts, waiting_since, None)
    tried = [min(each.attempts, MOST_ATTEMPTS) for each in attempts]
    await tx.execute(SEND, values | {"attempts": tried})


async def insert(
    tx: Tx,
    shop_id: UUID,
    feed_id: UUID,
    epoch: int,
    attempts: Sequence[Attempt],
    waiting_since: Sequence[datetime],
) -> None:
    """A feed carries these."""
    values = _inserted(tx, shop_id, feed_id, epoch, attempts, waiting_since, feed_id)
    await tx.execute(INSERT, values)


def _inserted(
    tx: Tx,
    shop_id: UUID,
    call_id: UUID,
    epoch: int,
    attempts: Sequence[Attempt],
    waiting_since: Sequence[datetime],
    feed_id: UUID | None,
) -> dict[str, object]:
    return {
        "account": tx.account_id,
        "shop": shop_id,
        "call": call_id,
        "feed": feed_id,
        "epoch": epoch,
        "sent_at": attempts[0].sent_at,
        "ids": [each.id for each in attempts],
        "listings": [each.listing_id for each in attempts],
        "generations": [each.generation for each in attempts],
        "lanes": [each.lane for each in attempts],
        "modes": [each.mode.value for each in attempts],
        "quantities": [each.quantity for each in attempts],
        "befores": [each.before for each in attempts],
        "waiting": list(waiting_since),
    }


async def settle(tx: Tx, settled: Sequence[Settled]) -> None:
    """How the attempts ended; what reached the mall, or may have, is written to the mall-update log, and stands in the
    place of the listing's earlier attempts."""
    await tx.execute(
        SETTLE,
        {
            "account": tx.account_id,
            "ids": [each.attempt.id for each in settled],
            "states": [each.state for each in settled],
            "accepted": [each.accepted_at for each in settled],
            "applied": [each.applied_at for each in settled],
            "read_back": [each.read_back_at for each in settled],
            "codes": [each.mall_code for each in settled],
            "messages": [each.mall_message for each in settled],
            "told": [each.attempt.listing_id for each in settled if each.state != "SUPERSEDED"],
        },
    )


async def unread(tx: Tx, shop_id: UUID, *, now: datetime, at_most: int) -> list[Unread]:
    rows = await tx.execute(
        UNREAD, {"account": tx.account_id, "shop": shop_id, "now": now, "at_most": at_most}
    )
    return [
        Unread(
            row.id,
            row.listing_id,
            ItemRef(row.item_code, row.variant_code),
            row.quantity,
            row.before,
            row.base,
            row.reads,
            row.accepted,
        )
        for row in rows
    ]


async def seen(tx: Tx, ids: Sequence[UUID], at: datetime) -> set[UUID]:
    """The mall shows these numbers: they are applied. Those of which that was still waited for."""
    if not ids:
        return set()
    parameters = {"account": tx.account_id, "ids": list(ids), "at": at}
    rows = (await tx.execute(SEEN, parameters)).all()
    seen = {row.id for row in rows}
    if seen:
        told = {"ids": list(seen), "listings": [row.listing_id for row in rows], "first": min(seen)}
        await tx.execute(APPLIED, parameters | told)
    return seen


async def not_seen(tx: Tx, ids: Sequence[UUID], *, again_at: datetime, most: int) -> set[UUID]:
    """The mall does not show them yet. Those that nobody expects any more, after `most` looks."""
    if not ids:
        return set()
    parameters = {"account": tx.account_id, "ids": list(ids), "again_at": again_at, "most": most}
    rows = await tx.execute(NOT_SEEN, parameters)
    return {row.id for row in rows if row.state == "UNKNOWN"}


async def read_later(tx: Tx, ids: Sequence[UUID], at: datetime) -> None:
    """They are looked at not before then."""
    await tx.execute(READ_LATER, {"account": tx.account_id, "ids": list(ids), "at": at})


async def looked_at(
    tx: Tx, ids: Sequence[UUID], *, shown: Sequence[UUID], not_applied: Sequence[UUID]
) -> None:
    """Numbers that the mall called applied were looked at. `shown`: those that were there; `not_applied`: those that were
    never written."""
    parameters = {"account": tx.account_id, "ids": list(ids), "shown": list(shown)}
    await tx.execute(LOOKED_AT, parameters | {"not_applied": list(not_applied)})


async def never_seen(tx: Tx, listing_ids: Sequence[UUID]) -> set[UUID]:
    """Those of which neither a file, nor a reading, nor an order, nor a number of ours has told anything yet."""
    parameters = {"account": tx.account_id, "listings": list(listing_ids)}
    return set((await tx.execute(NEVER_SEEN, parameters)).scalars())


async def lost(tx: Tx, shop_id: UUID, epoch: int) -> dict[UUID, Lost]:
    """Attempts of earlier holders that were never settled, by listing."""
    rows = await tx.execute(LOST, {"account": tx.account_id, "shop": shop_id, "epoch": epoch})
    return {row.listing_id: Lost(row.id, row.sent_at) for row in rows}


async def lose(tx: Tx, shop_id: UUID, ids: Sequence[UUID]) -> None:
    """Nobody knows what they did, and the mall-update log says so: once, whoever of their holder and the next one finds
    it first."""
    lost = list((await tx.execute(LOSE, {"account": tx.account_id, "ids": list(ids)})).scalars())
    if lost:
        await tx.execute(LOG, {"account": tx.account_id, "shop": shop_id, "ids": lost})


async def let_go(tx: Tx, shop_id: UUID) -> None:
    """Nobody looks any more at what became of the shop's numbers that are under way."""
    await tx.execute(LET_GO, {"account": tx.account_id, "shop": shop_id})
