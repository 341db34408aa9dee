"""Feeds, and the listings whose numbers they carry. At most one of a shop is open."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from domain.model.feeds import FeedFacts, FeedRowState
from domain.model.malls import ItemRef, StockPush, WriteMode
from domain.store.database import Tx
from domain.store.pushes import Attempt


@dataclass(frozen=True, slots=True)
class Feed:
    """One that was taken up. `epoch`: what was begun under an older one changes nothing any more. `name`: the mall's."""

    id: UUID
    shop_id: UUID
    epoch: int
    name: str | None
    facts: FeedFacts


@dataclass(frozen=True, slots=True)
class MayGo:
    """Which numbers a feed may carry now: those after all that is urgent, that rise above `above`, and never failed."""

    above: int
    now: datetime
    watermark: datetime | None
    fetches_orders: bool


MAY_GO = """
    l.account_id = :account AND l.shop_id = :shop AND l.wanted > l.done AND l.push_id IS NULL AND l.feed_id IS NULL
    AND l.lane = 2 AND l.failures = 0 AND l.expected > :above AND (l.base IS NULL OR l.expected >= l.base)
    AND (l.next_try_at IS NULL OR l.next_try_at <= :now) AND (l.base_source <> 'READ_BACK' OR l.base_latest IS NULL
        OR NOT :fetches_orders OR l.base_latest <= :watermark)
"""

GATHERS = text(
    f"""
    WITH there AS (
        SELECT state FROM feeds WHERE account_id = :account AND shop_id = :shop AND ended_at IS NULL),
    opened AS (
        INSERT INTO feeds (account_id, shop_id, epoch, items, sent_at, look_at)
        SELECT :account, :shop, 0, 0, :now, :now
        WHERE NOT EXISTS (SELECT FROM there)
            AND NOT EXISTS (SELECT FROM feeds f WHERE f.account_id = :account AND f.shop_id = :shop
                AND f.state IN ('FAILED', 'LOST') AND f.ended_at > :rested)
            AND NOT EXISTS (SELECT FROM jobs j WHERE j.account_id = :account AND j.kind = 'REFLECT'
                AND j.state IN ('WAITING', 'RUNNING') AND j.due_at <= :now)
            AND (SELECT count(*) FROM (SELECT FROM listing_sync l WHERE {MAY_GO} LIMIT :least) AS found) >= :least
        ON CONFLICT (account_id, shop_id) WHERE ended_at IS NULL DO NOTHING
        RETURNING true)
    SELECT EXISTS (SELECT FROM opened) AS opened, EXISTS (SELECT FROM there WHERE state = 'SENT') AS gathers
    """  # noqa: S608
)

TAKE = text(
    """
    UPDATE feeds SET epoch = epoch + 1, look_at = :until
    WHERE account_id = :account AND shop_id = :shop AND ended_at IS NULL AND look_at <= :now
    RETURNING id, epoch, name, state, items AS carries, looks, sent_at
    """
)

KEEP = text(
    """
    UPDATE feeds SET look_at = :until, items = items + :items
    WHERE account_id = :account AND id = :feed AND epoch = :epoch AND ended_at IS NULL RETURNING true
    """
)

DUE = text(
    f"""
    SELECT l.listing_id FROM listing_sync l WHERE {MAY_GO}
    ORDER BY l.waiting_since LIMIT :at_most FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)

DOCUMENT = text(
    """
    SELECT p.id, p.quantity, l.item_code, l.variant_code, coalesce((
        SELECT jsonb_object_agg(k.key, v.value) FROM unnest(cast(:keys AS text[])) AS k (key)
        LEFT JOIN listing_fields f ON f.account_id = :account AND f.listing_id = l.id AND f.key = k.key
        CROSS JOIN LATERAL (SELECT CASE WHEN f.key IS NULL THEN l.fields ->> k.key ELSE f.value END) AS v (value)
        WHERE v.value <> '' AND f.owner IS DISTINCT FROM 'MALL'), '{}') AS fields
    FROM pushes p JOIN listings l ON l.account_id = p.account_id AND l.id = p.listing_id
    WHERE p.account_id = :account AND p.feed_id = :feed AND (cast(:after AS uuid) IS NULL OR p.id > :after)
    ORDER BY p.id LIMIT :at_most
    """
)

ACCEPT = text(
    """
    WITH feed AS (
        UPDATE feeds SET state = 'ACCEPTED', name = :name, look_at = :look_at
        WHERE account_id = :account AND id = :feed AND epoch = :epoch AND ended_at IS NULL RETURNING id),
    numbers AS (
        UPDATE pushes p SET state = 'ACCEPTED', accepted_at = :now FROM feed
        WHERE p.account_id = :account AND p.feed_id = feed.id AND p.state = 'SENT'),
    rows AS (
        SELECT l.listing_id FROM listing_sync l, feed WHERE l.account_id = :account AND l.feed_id = feed.id
            AND l.push_id IS NULL AND l.push_state = 'SENT'
        ORDER BY l.listing_id FOR UPDATE OF l)
    UPDATE listing_sync l SET push_state = 'ACCEPTED' FROM rows
    WHERE l.account_id = :account AND l.listing_id = rows.listing_id
    """
)

LOOK_AGAIN = text(
    """
    UPDATE feeds SET look_at = :at, looks = looks + :looks
    WHERE account_id = :account AND id = :feed AND epoch = :epoch AND ended_at IS NULL
    """
)

AT_PLACES = text(
    """
    SELECT p.id, p.place - 1 AS place FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM pushes WHERE account_id = :account AND feed_id = :feed) AS p
    WHERE p.place - 1 = ANY (:places)
    """
)

CARRIED = text(
    """
    SELECT p.id, s.listing_id, l.item_code, l.variant_code, p.quantity, p.generation, p.lane, p.before, s.attempts, p.sent_at
    FROM (SELECT listing_id, attempts FROM listing_sync WHERE account_id = :account AND feed_id = :feed
        ORDER BY listing_id LIMIT :at_most) AS s
    CROSS JOIN LATERAL (SELECT * FROM pushes p WHERE p.account_id = :account AND p.listing_id = s.listing_id
        AND p.feed_id IS NOT DISTINCT FROM :feed OFFSET 0) AS p
    CROSS JOIN LATERAL (SELECT * FROM listings l WHERE l.account_id = :account AND l.id = s.listing_id OFFSET 0) AS l
    ORDER BY s.listing_id
    """
)
"""Looked up one by one, by listing (IS NOT DISTINCT FROM has no index): of tables that have just been filled the planner
knows nothing, and would go through the whole feed for each listing."""

DOUBT = text(
    """
    UPDATE feeds SET state = 'SENT', epoch = epoch + :by, look_at = :now
    WHERE account_id = :account AND shop_id = ANY (:shops) AND ended_at IS NULL
    """
)

END = text(
    """
    UPDATE feeds SET state = :state, ended_at = :now, look_at = NULL, mall_code = :code, mall_message = :message
    WHERE account_id = :account AND id = :feed AND epoch = :epoch AND ended_at IS NULL RETURNING true
    """
)

DROP = text(
    "DELETE FROM feeds WHERE account_id = :account AND id = :feed AND epoch = :epoch AND items = 0"
)

FORGET = text(
    "DELETE FROM feeds WHERE account_id = :account AND shop_id = :shop AND ended_at <= :before"
)

REFUSED = text(
    "UPDATE feeds SET refused = refused + :refused WHERE account_id = :account AND id = :feed"
)


async def gathers(
    tx: Tx, shop_id: UUID, may_go: MayGo, *, least: int, rested: timedelta
) -> tuple[bool, bool]:
    """Was one opened just now, because `least` numbers may go and nobody asks for more; is one being put together?

    None is opened within `rested` of one that did not end well.
    """
    values = _may_go(tx, shop_id, may_go) | {"least": least, "rested": may_go.now - rested}
    row = (await tx.execute(GATHERS, values)).one()
    return row.opened, row.gathers


async def take(tx: Tx, shop_id: UUID, *, until: datetime, now: datetime) -> Feed | None:
    """The shop's open feed, if its time has come: nobody else takes it `until` then."""
    values = {"account": tx.account_id, "shop": shop_id, "until": until, "now": now}
    row = (await tx.execute(TAKE, values)).one_or_none()
    if row is None:
        return None
    facts = FeedFacts(FeedRowState(row.state), row.carries, row.looks, row.sent_at)
    return Feed(row.id, shop_id, row.epoch, row.name, facts)


async def keep(tx: Tx, feed: Feed, *, until: datetime, items: int = 0) -> bool:
    """Whoever has taken it is still at it, and it carries so many `items` more. False: it is another's by now."""
    values = _key(tx, feed) | {"until": until, "items": items}
    return await tx.scalar(KEEP, values) is not None


async def due(tx: Tx, shop_id: UUID, may_go: MayGo, *, at_most: int) -> list[UUID]:
    """Listings whose numbers a feed may carry, the oldest first; their rows are locked."""
    values = _may_go(tx, shop_id, may_go) | {"at_most": at_most}
    return list((await tx.execute(DUE, values)).scalars())


async def document(
    tx: Tx, feed: Feed, keys: Collection[str], *, after: UUID | None, at_most: int
) -> list[tuple[UUID, StockPush]]:
    """Some of the numbers it carries, with our values of these fields of the mall's, by the id of their attempt: that is
    their order in the document."""
    values = {"account": tx.account_id, "feed": feed.id, "keys": list(keys), "after": after}
    rows = await tx.execute(DOCUMENT, values | {"at_most": at_most})
    return [
        (
            row.id,
            StockPush(ItemRef(row.item_code, row.variant_code), row.quantity, fields=row.fields),
        )
        for row in rows
    ]


async def accept(tx: Tx, feed: Feed, name: str, *, look_at: datetime, now: datetime) -> None:
    """The mall has it. Nothing, where it was given up meanwhile."""
    await tx.execute(ACCEPT, _key(tx, feed) | {"name": name, "look_at": look_at, "now": now})


async def look_again(tx: Tx, feed: Feed, at: datetime, *, asked: bool) -> None:
    """`asked`: the mall was."""
    await tx.execute(LOOK_AGAIN, _key(tx, feed) | {"at": at, "looks": int(asked)})


async def at_places(tx: Tx, feed: Feed, places: Collection[int]) -> dict[int, UUID]:
    """The attempts at these places of the document, from 0."""
    if not places:
        return {}
    values = {"account": tx.account_id, "feed": feed.id, "places": list(places)}
    return {row.place: row.id for row in await tx.execute(AT_PLACES, values)}


async def carried(tx: Tx, feed: Feed, *, at_most: int) -> Sequence[Attempt]:
    """Some of what it still carries, by listing."""
    values = {"account": tx.account_id, "feed": feed.id, "at_most": at_most}
    return [
        Attempt(
            id=row.id,
            listing_id=row.listing_id,
            ref=ItemRef(row.item_code, row.variant_code),
            quantity=row.quantity,
            mode=WriteMode.ABSOLUTE,
            generation=row.generation,
            lane=row.lane,
            before=row.before,
            attempts=row.attempts,
            sent_at=row.sent_at,
            fields={},
        )
        for row in await tx.execute(CARRIED, values)
    ]


async def doubt_open(tx: Tx, shop_ids: Collection[UUID], *, by: int, now: datetime) -> None:
    """Nobody knows what these shops' malls have of the feeds that are under way: they are given up by whoever takes them
    next, and are in nobody's hands."""
    values = {"account": tx.account_id, "shops": list(shop_ids), "by": by, "now": now}
    await tx.execute(DOUBT, values)


async def refused(tx: Tx, feed: Feed, refused: int) -> None:
    """So many more of its items."""
    await tx.execute(REFUSED, _key(tx, feed) | {"refused": refused})


async def end(
    tx: Tx, feed: Feed, state: FeedRowState, code: str, message: str, *, now: datetime
) -> bool:
    """False: it is another's by now."""
    values = {"state": state.value, "code": code, "message": message, "now": now}
    return await tx.scalar(END, _key(tx, feed) | values) is not None


async def drop(tx: Tx, feed: Feed) -> None:
    """It carried nothing."""
    await tx.execute(DROP, _key(tx, feed))


async def forget(tx: Tx, shop_id: UUID, *, before: datetime) -> None:
    """Those of the shop that had ended by then."""
    await tx.execute(FORGET, {"account": tx.account_id, "shop": shop_id, "before": before})


def _key(tx: Tx, feed: Feed) -> dict[str, object]:
    return {"account": tx.account_id, "feed": feed.id, "epoch": feed.epoch}


def _may_go(tx: Tx, shop_id: UUID, may_go: MayGo) -> dict[str, object]:
    return {
        "account": tx.account_id,
        "shop": shop_id,
        "above": may_go.above,
        "now": may_go.now,
        "watermark": may_go.watermark,
        "fetches_orders": may_go.fetches_orders,
    }
