"""The narrow row of each listing: what it should show, what we believe it shows, and what waits (DESIGN §2.2)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.base import Base, MallStockSource
from domain.model.malls import MallTime
from domain.model.sets import PartStock, SetPart
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class SyncRow:
    """One listing's row, locked. `expected` None: nothing of ours decides what it shows.

    `own`: the last generation that goes out by itself, whoever asked for it or not. `believed`: the base that a reading
    contradicts, moved on by orders, until that is decided on; `asked`: a person is to. `exposed_since`: see
    domain/model/exposure.py. `feed_id`: the feed that carries a number to the mall; until it has ended `base` is what the
    counter reads if the feed has not come to it yet, and nothing but zero goes out.
    """

    listing_id: UUID
    shop_id: UUID
    wanted: int
    claimed: int
    done: int
    own: int
    lane: int
    waiting_since: datetime | None
    next_try_at: datetime | None
    attempts: int
    failures: int
    push_id: UUID | None
    push_state: str | None
    expected: int | None
    edited: bool
    base: Base
    believed: Base | None
    asked: bool
    not_pushed: tuple[str, ...]
    difference: str | None
    difference_since: datetime | None
    exposed_since: datetime | None = None
    feed_id: UUID | None = None

    @property
    def waits(self) -> bool:
        return self.wanted > self.done


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a listing's number follows from, read after its row was locked. `asked`: a job waits for it to be sent."""

    listing_id: UUID
    shop_id: UUID
    shop_name: str
    mall: str
    speed: float
    clock_offset_ms: int
    product_id: UUID | None
    kind: str | None
    managed: bool
    total: int
    reserve: int
    parts: tuple[SetPart, ...]
    part_stock: Mapping[UUID, PartStock]
    minimum: int | None
    maximum: int | None
    sync: bool
    link_state: str
    fulfilled_by_mall: bool
    unlimited: bool
    unknown_at_mall: bool
    account_running: bool
    shop_in_use: bool
    shop_reflects: bool
    shop_state: str
    interval_seconds: int
    asked: bool


LOCK = text(
    """
    SELECT * FROM listing_sync WHERE account_id = :account AND listing_id = ANY (:listings)
    ORDER BY listing_id FOR UPDATE
    """
)

NUMBERS = text(
    """
    SELECT l.id AS listing_id, l.shop_id, s.name AS shop_name, s.mall,
        coalesce((s.settings ->> 'speed')::float, 1) AS speed, s.clock_offset_ms,
        p.id AS product_id, p.kind, coalesce(p.managed, false) AS managed, coalesce(p.total, 0) AS total,
        coalesce(p.reserve, g.reserve, 0) AS reserve, l.minimum, l.maximum, l.sync AND l.deleted_at IS NULL AS sync,
        k.state AS link_state, l.fulfilled_by_mall, l.unlimited, l.unknown_at_mall,
        a.sync_running AS account_running, s.in_use AS shop_in_use, s.reflect_running AS shop_reflects,
        s.state AS shop_state, s.reflect_interval_seconds AS interval_seconds,
        EXISTS (SELECT FROM job_listings j WHERE j.account_id = :account AND j.listing_id = l.id AND j.outcome IS NULL
            OFFSET 0) AS asked
    FROM unnest(cast(:listings AS uuid[])) AS r (id)
    CROSS JOIN LATERAL (SELECT * FROM listings l WHERE l.account_id = :account AND l.id = r.id OFFSET 0) AS l
    CROSS JOIN LATERAL (SELECT * FROM links k WHERE k.account_id = :account AND k.listing_id = l.id OFFSET 0) AS k
    JOIN shops s ON s.account_id = :account AND s.id = l.shop_id
    JOIN accounts a ON a.id = :account
    LEFT JOIN LATERAL (SELECT * FROM products p WHERE p.account_id = :account AND p.id = k.product_id
        AND p.deleted_at IS NULL OFFSET 0) AS p ON true
    LEFT JOIN product_groups g ON g.account_id = :account AND g.id = p.group_id
    """
)
"""Looked up one by one (OFFSET 0): in a transaction that has just filled the tables the planner knows nothing of them, and
would go through all of them once for each listing."""

PARTS = text(
    """
    SELECT sp.set_id, sp.part_id, sp.count AS per_set, p.total, coalesce(p.reserve, g.reserve, 0) AS reserve, p.managed
    FROM set_parts sp
    JOIN products p ON p.account_id = sp.account_id AND p.id = sp.part_id
    LEFT JOIN product_groups g ON g.account_id = p.account_id AND g.id = p.group_id
    WHERE sp.account_id = :account AND sp.set_id = ANY (:sets)
    ORDER BY sp.set_id, sp.part_id
    """
)

SHOWING = text(
    """
    SELECT k.listing_id FROM links k
    WHERE k.account_id = :account AND k.product_id = ANY (:products)
    UNION
    SELECT k.listing_id FROM set_parts sp
    JOIN links k ON k.account_id = sp.account_id AND k.product_id = sp.set_id
    WHERE sp.account_id = :account AND sp.part_id = ANY (:products)
    """
)

LISTED = text(
    """
    SELECT id FROM listings WHERE account_id = :account AND shop_id = ANY (:shops) AND deleted_at IS NULL
    """
)

REFLECTS_EDITS = text("SELECT reflect_edits = 'AT_ONCE' FROM accounts WHERE id = :account")

OF_SHOPS = text(
    "SELECT id FROM listings WHERE account_id = :account AND shop_id = ANY (:shops) ORDER BY id"
)

SAVE = text(
    """
    UPDATE listing_sync AS l SET
        wanted = r.wanted, claimed = r.claimed, done = r.done, own = r.own, lane = r.lane, waiting_since = r.waiting_since,
        next_try_at = r.next_try_at, attempts = r.attempts, failures = r.failures, push_id = r.push_id,
        push_state = r.push_state, expected = r.expected, edited = r.edited, base = r.base,
        base_earliest = r.base_earliest, base_latest = r.base_latest, base_changed_until = r.base_changed_until,
        base_source = r.base_source, not_pushed = CASE r.not_pushed WHEN '' THEN '{}' ELSE string_to_array(r.not_pushed, ',') END,
        believed = r.believed, believed_earliest = r.believed_earliest, believed_latest = r.believed_latest,
        believed_changed_until = r.believed_changed_until, believed_source = r.believed_source, asked = r.asked,
        difference = r.difference, difference_since = r.difference_since, exposed_since = r.exposed_since,
        feed_id = r.feed_id
    FROM unnest(
        cast(:listing_id AS uuid[]), cast(:wanted AS bigint[]), cast(:claimed AS bigint[]), cast(:done AS bigint[]),
        cast(:own AS bigint[]),
        cast(:lane AS int[]), cast(:waiting_since AS timestamptz[]), cast(:next_try_at AS timestamptz[]),
        cast(:attempts AS int[]), cast(:failures AS int[]), cast(:push_id AS uuid[]), cast(:push_state AS text[]),
        cast(:expected AS int[]), cast(:edited AS bool[]), cast(:base AS int[]),
        cast(:base_earliest AS timestamptz[]), cast(:base_latest AS timestamptz[]),
        cast(:base_changed_until AS timestamptz[]), cast(:base_source AS text[]), cast(:not_pushed AS text[]),
        cast(:difference AS text[]), cast(:difference_since AS timestamptz[]),
        cast(:believed AS int[]), cast(:believed_earliest AS timestamptz[]), cast(:believed_latest AS timestamptz[]),
        cast(:believed_changed_until AS timestamptz[]), cast(:believed_source AS text[]), cast(:asked AS bool[]),
        cast(:exposed_since AS timestamptz[]), cast(:feed_id AS uuid[])
    ) AS r (listing_id, wanted, claimed, done, own, lane, waiting_since, next_try_at, attempts, failures, push_id,
        push_state, expected, edited, base, base_earliest, base_latest, base_changed_until, base_source, not_pushed,
        difference, difference_since, believed, believed_earliest, believed_latest, believed_changed_until,
        believed_source, asked, exposed_since, feed_id)
    WHERE l.account_id = :account AND l.listing_id = r.listing_id
    """
)

OPEN = text(
    """
    INSERT INTO listing_sync (account_id, listing_id, shop_id, base, base_source)
    SELECT :account, r.listing_id, r.shop_id, r.base, CASE WHEN r.base IS NULL THEN 'NEVER_SEEN' ELSE 'FILE' END
    FROM unnest(cast(:listings AS uuid[]), cast(:shops AS uuid[]), cast(:bases AS int[])) AS r (listing_id, shop_id, base)
    ON CONFLICT (account_id, listing_id) DO NOTHING
    """
)


async def lock(tx: Tx, listing_ids: Collection[UUID]) -> list[SyncRow]:
    """The rows of these listings, held until commit; taken in id order (DESIGN §2.11)."""
    if not listing_ids:
        return []
    rows = await tx.execute(LOCK, {"account": tx.account_id, "listings": list(listing_ids)})
    return [row_of(row) for row in rows]


async def numbers(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, Numbers]:
    """By listing. Call it after `lock`, in a statement of its own: READ COMMITTED then sees what others committed."""
    rows = (
        (await tx.execute(NUMBERS, {"account": tx.account_id, "listings": list(listing_ids)}))
        .mappings()
        .all()
    )
    sets = [row["product_id"] for row in rows if row["kind"] == "SET"]
    parts, stock = await parts_of(tx, sets)
    return {
        row["listing_id"]: Numbers(
            **row, parts=tuple(parts.get(row["product_id"], ())), part_stock=stock
        )
        for row in rows
    }


async def parts_of(
    tx: Tx, set_ids: Sequence[UUID]
) -> tuple[dict[UUID, list[SetPart]], dict[UUID, PartStock]]:
    """The parts of each set, and what is left of each part."""
    if not set_ids:
        return {}, {}
    parts: dict[UUID, list[SetPart]] = {}
    stock: dict[UUID, PartStock] = {}
    for row in await tx.execute(PARTS, {"account": tx.account_id, "sets": list(set_ids)}):
        parts.setdefault(row.set_id, []).append(SetPart(row.part_id, row.per_set))
        stock[row.part_id] = PartStock(row.total, row.reserve, row.managed)
    return parts, stock


async def listings_showing(tx: Tx, product_ids: Collection[UUID]) -> list[UUID]:
    """Every listing whose number follows from one of these products: its own, and those of sets that hold it."""
    if not product_ids:
        return []
    rows = await tx.execute(SHOWING, {"account": tx.account_id, "products": list(product_ids)})
    return list(rows.scalars())


async def listings_of_shops(tx: Tx, shop_ids: Collection[UUID]) -> list[UUID]:
    rows = await tx.execute(OF_SHOPS, {"account": tx.account_id, "shops": list(shop_ids)})
    return list(rows.scalars())


async def listed(tx: Tx, shop_ids: Collection[UUID]) -> list[UUID]:
    """The listings of these shops, without those that are deleted."""
    rows = await tx.execute(LISTED, {"account": tx.account_id, "shops": list(shop_ids)})
    return list(rows.scalars())


async def reflects_edits(tx: Tx) -> bool:
    """Does what people, files and tokens set go out by itself?"""
    return bool(await tx.scalar(REFLECTS_EDITS, {"account": tx.account_id}))


async def open_rows(tx: Tx, rows: Sequence[tuple[UUID, UUID, int | None]]) -> None:
    """(listing, shop, what its file says it shows) of listings that have no row yet."""
    await tx.execute(
        OPEN,
        {
            "account": tx.account_id,
            "listings": [row[0] for row in rows],
            "shops": [row[1] for row in rows],
            "bases": [row[2] for row in rows],
        },
    )


async def save(tx: Tx, rows: Sequence[SyncRow]) -> None:
    """Writes rows that were locked, in one statement."""
    if rows:
        await tx.execute(SAVE, {"account": tx.account_id} | _columns(rows))


def _columns(rows: Sequence[SyncRow]) -> dict[str, object]:
    plain = (
        "listing_id", "wanted", "claimed", "done", "own", "lane", "waiting_since", "next_try_at", "attempts", "failures",
        "push_id", "push_state", "expected", "edited", "asked", "difference", "difference_since",
        "exposed_since", "feed_id",
    )  # fmt: skip
    columns: dict[str, object] = {name: [getattr(row, name) for row in rows] for name in plain}
    columns |= _base_columns("base", [row.base for row in rows])
    columns |= _base_columns("believed", [row.believed for row in rows])
    return columns | {
        "not_pushed": [",".join(row.not_pushed) for row in rows],
    }


def _base_columns(name: str, bases: Sequence[Base | None]) -> dict[str, object]:
    return {
        name: [base and base.quantity for base in bases],
        f"{name}_earliest": [base and base.at and base.at.earliest for base in bases],
        f"{name}_latest": [base and base.at and base.at.latest for base in bases],
        f"{name}_changed_until": [base and base.changed_until for base in bases],
        f"{name}_source": [base and base.source.value for base in bases],
    }


def _base(row: Mapping[str, Any], name: str) -> Base:
    earliest = row[f"{name}_earliest"]
    at = MallTime(earliest, row[f"{name}_latest"]) if earliest else None
    source = MallStockSource(row[f"{name}_source"])
    return Base(row[name], at, source, row[f"{name}_changed_until"])


def row_of(row: Mapping[str, Any]) -> SyncRow:
    """From all columns of a row that was locked."""
    return SyncRow(
        listing_id=row["listing_id"],
        shop_id=row["shop_id"],
        wanted=row["wanted"],
        claimed=row["claimed"],
        done=row["done"],
        own=row["own"],
        lane=row["lane"],
        waiting_since=row["waiting_since"],
        next_try_at=row["next_try_at"],
        attempts=row["attempts"],
        failures=row["failures"],
        push_id=row["push_id"],
        push_state=row["push_state"],
        expected=row["expected"],
        edited=row["edited"],
        base=_base(row, "base"),
        believed=_base(row, "believed") if row["believed_source"] else None,
        asked=row["asked"],
        not_pushed=tuple(row["not_pushed"]),
        difference=row["difference"],
        difference_since=row["difference_since"],
        exposed_since=row["exposed_since"],
        feed_id=row["feed_id"],
    )
