"""What an account's books say, read for comparing them with what the malls say themselves. Nothing is changed here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.malls import ItemRef
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class AuditedListing:
    """A linked listing and what decides its number. `pushed`: no rule keeps us from sending it."""

    id: UUID
    shop_id: UUID
    ref: ItemRef
    product_id: UUID
    minimum: int | None
    maximum: int | None
    pushed: bool


@dataclass(frozen=True, slots=True)
class AuditedProduct:
    """`reserve` is the effective one. `ledger`: the sum of its movements."""

    id: UUID
    code: str
    kind: str
    managed: bool
    total: int
    reserve: int
    ledger: int


@dataclass(frozen=True, slots=True)
class AuditedPart:
    set_id: UUID
    part_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class AuditedEffect:
    """What one order did to one product: as noted with the order, and `moved`, as its movements in the ledger say."""

    shop_id: UUID
    number: str
    product_id: UUID
    applied: int
    absorbed: int
    moved: int


@dataclass(frozen=True, slots=True)
class Books:
    listings: Sequence[AuditedListing]
    products: Sequence[AuditedProduct]
    parts: Sequence[AuditedPart]
    effects: Sequence[AuditedEffect]


@dataclass(frozen=True, slots=True)
class Reach:
    """A sale of one product, and the first number that was sent to one listing of another shop because of it.

    `answered_at`: when the mall had taken it; None as long as it has not. `recorded_at`: when the sale was known here;
    `left`: of the product then.
    """

    sold_at_shop: UUID
    order_number: str
    shop_id: UUID
    ref: ItemRef
    sent_at: datetime
    answered_at: datetime | None
    recorded_at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class AuditedError:
    id: UUID
    level: int
    kind: str
    state: str
    shop_id: UUID | None
    count: int
    first_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What still moves. `unread`: numbers that a mall has accepted and not shown yet."""

    waiting: int
    unread: int
    differences: int
    pushes: int
    oversold: int


LISTINGS = text(
    """
    SELECT l.id, l.shop_id, l.item_code, l.variant_code, k.product_id, l.minimum, l.maximum,
        s.not_pushed = '{}' AS pushed
    FROM listings l
    JOIN links k ON k.account_id = l.account_id AND k.listing_id = l.id
    JOIN listing_sync s ON s.account_id = l.account_id AND s.listing_id = l.id
    WHERE l.account_id = :account AND l.deleted_at IS NULL AND k.product_id IS NOT NULL
    """
)

PRODUCTS = text(
    """
    SELECT p.id, p.code, p.kind, p.managed, p.total, coalesce(p.reserve, g.reserve, 0) AS reserve,
        coalesce(m.ledger, 0) AS ledger
    FROM products p
    LEFT JOIN product_groups g ON g.account_id = p.account_id AND g.id = p.group_id
    LEFT JOIN (SELECT product_id, sum(delta) AS ledger FROM stock_movements WHERE account_id = :account
        GROUP BY product_id) AS m ON m.product_id = p.id
    WHERE p.account_id = :account AND p.deleted_at IS NULL
    """
)

PARTS = text("SELECT set_id, part_id, count FROM set_parts WHERE account_id = :account")

EFFECTS = text(
    """
    WITH moved AS (
        SELECT order_id, product_id, -sum(delta) AS units FROM stock_movements
        WHERE account_id = :account AND order_id IS NOT NULL GROUP BY order_id, product_id),
    noted AS (
        SELECT order_id, product_id, applied, absorbed FROM order_effects WHERE account_id = :account)
    SELECT o.shop_id, o.number, product_id, coalesce(noted.applied, 0) AS applied,
        coalesce(noted.absorbed, 0) AS absorbed, coalesce(moved.units, 0) AS moved
    FROM noted FULL JOIN moved USING (order_id, product_id)
    JOIN orders o ON o.account_id = :account AND o.id = order_id
    """
)

REACHES = text(
    """
    SELECT o.shop_id AS sold_at_shop, o.number AS order_number, l.shop_id, l.item_code, l.variant_code, p.sent_at,
        p.accepted_at AS answered_at, m.recorded_at, m.balance_after AS left
    FROM stock_movements m
    JOIN orders o ON o.account_id = m.account_id AND o.id = m.order_id
    JOIN links k ON k.account_id = m.account_id AND k.product_id = m.product_id AND k.state = 'LINKED'
    JOIN listings l ON l.account_id = m.account_id AND l.id = k.listing_id AND l.shop_id <> o.shop_id
    JOIN LATERAL (
        SELECT p.sent_at, p.accepted_at, p.waiting_at FROM pushes p
        WHERE p.account_id = m.account_id AND p.listing_id = l.id AND p.sent_at >= m.recorded_at
        ORDER BY p.sent_at LIMIT 1) AS p ON p.waiting_at <= m.recorded_at
    WHERE m.account_id = :account AND m.cause = 'ORDER' AND m.recorded_at >= :since
        AND greatest(m.balance_before, 0) <> greatest(m.balance_after, 0)
    """
)

ERRORS = text(
    """
    SELECT id, level, kind, state, shop_id, count, first_at, resolved_at FROM sync_errors
    WHERE account_id = :account ORDER BY id
    """
)

UNSETTLED = text(
    """
    SELECT
        (SELECT count(*) FROM listing_sync WHERE account_id = :account AND wanted > done) AS waiting,
        (SELECT count(*) FROM pushes WHERE account_id = :account AND state = 'ACCEPTED') AS unread,
        (SELECT count(*) FROM listing_sync WHERE account_id = :account AND difference IS NOT NULL) AS differences,
        (SELECT count(*) FROM pushes WHERE account_id = :account) AS pushes,
        (SELECT count(*) FROM products WHERE account_id = :account AND total < 0 AND deleted_at IS NULL) AS oversold
    """
)

WAITING = text(
    """
    SELECT shop_id, count(*) AS listings FROM listing_sync
    WHERE account_id = :account AND wanted > done GROUP BY shop_id
    """
)

TO_SHOW = text(
    """
    SELECT l.shop_id, k.product_id, s.expected
    FROM links k
    JOIN listings l ON l.account_id = k.account_id AND l.id = k.listing_id AND l.deleted_at IS NULL
    JOIN listing_sync s ON s.account_id = k.account_id AND s.listing_id = k.listing_id
    WHERE k.account_id = :account AND k.product_id = ANY (CAST(:products AS uuid[]))
    """
)

KNOWN = text(
    """
    SELECT EXISTS (SELECT FROM orders WHERE account_id = :account AND shop_id = :shop AND number = :number)
    """
)


async def books(tx: Tx) -> Books:
    """Everything that an audit needs of ours, as of one moment for each list."""
    own = {"account": tx.account_id}
    return Books(
        [_listing(dict(row._mapping)) for row in await tx.execute(LISTINGS, own)],
        [AuditedProduct(**row._mapping) for row in await tx.execute(PRODUCTS, own)],
        [AuditedPart(**row._mapping) for row in await tx.execute(PARTS, own)],
        [AuditedEffect(**row._mapping) for row in await tx.execute(EFFECTS, own)],
    )


async def reaches(tx: Tx, *, since: timedelta, now: datetime) -> list[Reach]:
    """How the sales that were recorded within `since` reached the other shops.

    A sale that changes no number there (nothing was left before) reaches nobody. Shops that show the product as
    part of a set are left out.
    """
    rows = await tx.execute(REACHES, {"account": tx.account_id, "since": now - since})
    return [_reach(dict(row._mapping)) for row in rows]


async def errors(tx: Tx) -> list[AuditedError]:
    """All there ever were, in the order they opened."""
    return [
        AuditedError(**row._mapping) for row in await tx.execute(ERRORS, {"account": tx.account_id})
    ]


async def unsettled(tx: Tx) -> Unsettled:
    row = (await tx.execute(UNSETTLED, {"account": tx.account_id})).one()
    return Unsettled(**row._mapping)


async def knows_order(tx: Tx, shop_id: UUID, number: str) -> bool:
    """Was this order taken in?"""
    known: bool = await tx.scalar(
        KNOWN, {"account": tx.account_id, "shop": shop_id, "number": number}
    )
    return known


async def to_show(tx: Tx, product_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], int | None]:
    """What the listings of these products should show, by shop and product; None: nothing of ours decides that."""
    rows = await tx.execute(TO_SHOW, {"account": tx.account_id, "products": list(product_ids)})
    return {(row.shop_id, row.product_id): row.expected for row in rows}


async def waiting_by_shop(tx: Tx) -> dict[UUID, int]:
    """How many listings wait to be sent, of the shops where any does."""
    rows = await tx.execute(WAITING, {"account": tx.account_id})
    return {row.shop_id: row.listings for row in rows}


def _listing(values: dict[str, Any]) -> AuditedListing:
    ref = ItemRef(values.pop("item_code"), values.pop("variant_code"))
    return AuditedListing(ref=ref, **values)


def _reach(values: dict[str, Any]) -> Reach:
    ref = ItemRef(values.pop("item_code"), values.pop("variant_code"))
    return Reach(ref=ref, **values)
