"""Listings: what each shop shows, by the mall's own codes. Their numbers live in listing_sync (sync.py)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.links import LinkState
from domain.model.malls import ItemRef, MallListing
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A listing as it is to be kept. `match_code`: the value of the shop's same-product key."""

    listing: MallListing
    match_code: str
    folded: str


@dataclass(frozen=True, slots=True)
class Written:
    """What was new, and how many were changed; the others were the same already."""

    created: tuple[UUID, ...]
    updated: int


@dataclass(frozen=True, slots=True)
class KnownListing:
    id: UUID
    ref: ItemRef
    match_code: str
    name: str
    state: LinkState
    product_id: UUID | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A listing that was edited, as it was before."""

    id: UUID
    minimum: int | None
    maximum: int | None
    sync: bool


PLAN_AFRESH = text("SET LOCAL plan_cache_mode = force_custom_plan")

WRITE = text(
    """
    INSERT INTO listings AS l (account_id, shop_id, item_code, variant_code, match_code, keys, name, fulfilled_by_mall,
        unlimited, mall_restocks, fields, folded, sync)
    SELECT :account, :shop, r.item_code, r.variant_code, r.match_code, r.keys, r.name, r.fulfilled, r.unlimited,
        r.restocks, r.fields, r.folded, (SELECT sync_new_listings FROM accounts WHERE id = :account)
    FROM unnest(cast(:items AS text[]), cast(:variants AS text[]), cast(:matches AS text[]), cast(:keys AS jsonb[]),
        cast(:names AS text[]), cast(:fulfilled AS bool[]), cast(:unlimited AS bool[]), cast(:restocks AS bool[]),
        cast(:fields AS jsonb[]), cast(:folded AS text[]))
        AS r (item_code, variant_code, match_code, keys, name, fulfilled, unlimited, restocks, fields, folded)
    ORDER BY r.item_code, r.variant_code
    ON CONFLICT (account_id, shop_id, item_code, variant_code) DO UPDATE SET
        match_code = coalesce(nullif(excluded.match_code, ''), l.match_code), keys = l.keys || excluded.keys,
        name = coalesce(nullif(excluded.name, ''), l.name), fulfilled_by_mall = excluded.fulfilled_by_mall,
        unlimited = excluded.unlimited, mall_restocks = coalesce(excluded.mall_restocks, l.mall_restocks),
        fields = l.fields || excluded.fields,
        folded = CASE excluded.name WHEN '' THEN l.folded ELSE excluded.folded END,
        unknown_at_mall = false, deleted_at = NULL, version = l.version + 1
    WHERE l.deleted_at IS NOT NULL OR l.unknown_at_mall
        OR (coalesce(nullif(excluded.match_code, ''), l.match_code), l.keys || excluded.keys,
            coalesce(nullif(excluded.name, ''), l.name), excluded.fulfilled_by_mall, excluded.unlimited,
            coalesce(excluded.mall_restocks, l.mall_restocks), l.fields || excluded.fields)
        IS DISTINCT FROM (l.match_code, l.keys, l.name, l.fulfilled_by_mall, l.unlimited, l.mall_restocks, l.fields)
    RETURNING l.id, old.id IS NULL AS created
    """
)

KNOWN = text(
    """
    SELECT l.id, l.item_code, l.variant_code, l.match_code, l.name, k.state, k.product_id
    FROM unnest(cast(:items AS text[]), cast(:variants AS text[])) AS r (item_code, variant_code)
    CROSS JOIN LATERAL (SELECT * FROM listings l WHERE l.account_id = :account AND l.shop_id = :shop
        AND l.item_code = r.item_code AND l.variant_code = r.variant_code OFFSET 0) AS l
    CROSS JOIN LATERAL (SELECT * FROM links k WHERE k.account_id = :account AND k.listing_id = l.id OFFSET 0) AS k
    """
)
"""Looked up one by one (OFFSET 0), as in sync.py: in the first import of an account the planner knows nothing yet."""

ALIVE = text(
    """
    SELECT l.item_code, l.variant_code FROM listings l
    JOIN unnest(cast(:items AS text[]), cast(:variants AS text[])) AS r (item_code, variant_code)
        ON l.item_code = r.item_code AND l.variant_code = r.variant_code
    WHERE l.account_id = :account AND l.shop_id = :shop AND l.deleted_at IS NULL
    """
)

DELETE = text(
    """
    UPDATE listings AS l SET deleted_at = :at, version = l.version + 1
    FROM (SELECT id FROM listings WHERE account_id = :account AND id = ANY (:listings) AND deleted_at IS NULL
        ORDER BY id FOR NO KEY UPDATE) AS r
    WHERE l.account_id = :account AND l.id = r.id
    """
)

SET_LIMITS = text(
    """
    UPDATE listings AS l SET minimum = CASE WHEN :sets_minimum THEN :minimum ELSE l.minimum END,
        maximum = CASE WHEN :sets_maximum THEN :maximum ELSE l.maximum END, version = l.version + 1
    WHERE l.account_id = :account AND l.id = ANY (:listings) AND l.deleted_at IS NULL
    RETURNING l.id, old.minimum, old.maximum, old.sync
    """
)

SET_SYNC = text(
    """
    UPDATE listings AS l SET sync = :on, version = l.version + 1
    WHERE l.account_id = :account AND l.id = ANY (:listings) AND l.deleted_at IS NULL AND l.sync <> :on
    RETURNING l.id, old.minimum, old.maximum, old.sync
    """
)

NAMES = text(
    """
    SELECT DISTINCT ON (k.product_id) k.product_id, l.name FROM listings l
    JOIN links k ON k.account_id = :account AND k.listing_id = l.id AND k.product_id IS NOT NULL
    WHERE l.account_id = :account AND l.shop_id = :shop AND l.deleted_at IS NULL AND l.name <> ''
        AND (cast(:products AS uuid[]) IS NULL OR k.product_id = ANY (:products))
    ORDER BY k.product_id, l.id
    """
)

VERSIONS = text(
    """
    SELECT id, version FROM listings
    WHERE account_id = :account AND id = ANY (:listings) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE
    """
)


async def plan_afresh(tx: Tx) -> None:
    """For what fills tables: until commit no statement keeps a plan from when they were small."""
    await tx.execute(PLAN_AFRESH)


async def write(tx: Tx, shop_id: UUID, rows: Sequence[ListingRow]) -> Written:
    """Makes or updates each by its code; a deleted one comes back. A code may stand in `rows` once.

    What a file leaves out (an empty name, a missing column) stays as it was. Rows that say nothing new are not written.
    A new one has the 連携 tick as the account says.
    """
    if not rows:
        return Written((), 0)
    answer = (
        await tx.execute(WRITE, {"account": tx.account_id, "shop": shop_id} | _columns(rows))
    ).all()
    created = tuple(row.id for row in answer if row.created)
    return Written(created, len(answer) - len(created))


async def known(tx: Tx, shop_id: UUID, refs: Sequence[ItemRef]) -> list[KnownListing]:
    """Those of these codes that are listings of the shop."""
    rows = await tx.execute(
        KNOWN,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "items": [ref.item_code for ref in refs],
            "variants": [ref.variant_code for ref in refs],
        },
    )
    return [_known(row) for row in rows]


async def alive(tx: Tx, shop_id: UUID, refs: Sequence[ItemRef]) -> set[ItemRef]:
    """Those of these codes that the shop lists, not deleted."""
    rows = await tx.execute(
        ALIVE,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "items": [ref.item_code for ref in refs],
            "variants": [ref.variant_code for ref in refs],
        },
    )
    return {ItemRef(row.item_code, row.variant_code) for row in rows}


async def delete(tx: Tx, listing_ids: Sequence[UUID], *, at: datetime) -> None:
    """The rows stay, so that their codes bring them back."""
    if listing_ids:
        await tx.execute(
            DELETE, {"account": tx.account_id, "listings": list(listing_ids), "at": at}
        )


async def names_of(
    tx: Tx, shop_id: UUID, product_ids: Collection[UUID] | None = None
) -> dict[UUID, str]:
    """By product, what the shop's oldest listing of it is called; of these products, or of all."""
    wanted = None if product_ids is None else list(product_ids)
    parameters = {"account": tx.account_id, "shop": shop_id, "products": wanted}
    rows = await tx.execute(NAMES, parameters)
    return {row.product_id: row.name for row in rows}


async def lock_versions(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, int]:
    """By listing; held until commit. Deleted and foreign listings are left out."""
    rows = await tx.execute(VERSIONS, {"account": tx.account_id, "listings": list(listing_ids)})
    return {row.id: row.version for row in rows}


async def set_limits(
    tx: Tx,
    listing_ids: Collection[UUID],
    *,
    minimum: int | None,
    sets_minimum: bool,
    maximum: int | None,
    sets_maximum: bool,
) -> list[Changed]:
    rows = await tx.execute(
        SET_LIMITS,
        {
            "account": tx.account_id,
            "listings": list(listing_ids),
            "minimum": minimum,
            "sets_minimum": sets_minimum,
            "maximum": maximum,
            "sets_maximum": sets_maximum,
        },
    )
    return [Changed(**row._mapping) for row in rows]


async def set_sync(tx: Tx, listing_ids: Collection[UUID], *, on: bool) -> list[Changed]:
    """Those whose tick stood otherwise."""
    rows = await tx.execute(
        SET_SYNC, {"account": tx.account_id, "listings": list(listing_ids), "on": on}
    )
    return [Changed(**row._mapping) for row in rows]


def _columns(rows: Sequence[ListingRow]) -> dict[str, list[Any]]:
    return {
        "items": [row.listing.ref.item_code for row in rows],
        "variants": [row.listing.ref.variant_code for row in rows],
        "matches": [row.match_code for row in rows],
        "keys": [orjson.dumps(dict(row.listing.keys)).decode() for row in rows],
        "names": [row.listing.name for row in rows],
        "fulfilled": [row.listing.fulfilled_by_mall for row in rows],
        "unlimited": [row.listing.unlimited for row in rows],
        "restocks": [row.listing.mall_restocks for row in rows],
        "fields": [orjson.dumps(dict(row.listing.fields)).decode() for row in rows],
        "folded": [row.folded for row in rows],
    }


def _known(row: Any) -> KnownListing:
    return KnownListing(
        row.id,
        ItemRef(row.item_code, row.variant_code),
        row.match_code,
        row.name,
        LinkState(row.state),
        row.product_id,
    )
