"""Fields of the malls' own that travel with stock.

What the mall shows is in listings.fields. A row here is what we say where that differs, or who owns the field; without a
row the field is ours at the value that the mall was imported with.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.malls import ItemRef, MallKind
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class NewField:
    """What a listing's field becomes. `sets_value` False, or `owner` None, leaves as it is."""

    listing_id: UUID
    key: str
    value: str | None
    sets_value: bool
    owner: str | None


LOCK = text(
    """
    SELECT l.id, s.mall FROM listings l
    JOIN shops s ON s.account_id = :account AND s.id = l.shop_id AND s.disconnected_at IS NULL
    WHERE l.account_id = :account AND l.id = ANY (:listings) AND l.deleted_at IS NULL
    ORDER BY l.id FOR NO KEY UPDATE OF l
    """
)

SET = text(
    """
    INSERT INTO listing_fields AS f (account_id, listing_id, key, value, owner, changed_by)
    SELECT :account, r.listing_id, r.key, CASE WHEN r.sets_value THEN r.value ELSE l.fields ->> r.key END,
        coalesce(r.owner, 'US'), cast(:actor AS jsonb)
    FROM unnest(cast(:listings AS uuid[]), cast(:keys AS text[]), cast(:values AS text[]), cast(:sets AS bool[]),
        cast(:owners AS text[])) AS r (listing_id, key, value, sets_value, owner)
    JOIN listings l ON l.account_id = :account AND l.id = r.listing_id
    ON CONFLICT (account_id, listing_id, key) DO UPDATE SET
        value = CASE WHEN :sets_values THEN excluded.value ELSE f.value END,
        owner = CASE WHEN :sets_owners THEN excluded.owner ELSE f.owner END,
        changed_at = clock_timestamp(), changed_by = excluded.changed_by, changed_at_mall = NULL
    """
)

CHANGED = text(
    """
    UPDATE listings SET version = version + 1 WHERE account_id = :account AND id = ANY (:listings)
    """
)

FOLLOW_FILE = text(
    """
    DELETE FROM listing_fields f
    USING unnest(cast(:items AS text[]), cast(:variants AS text[]), cast(:fields AS jsonb[])) AS r (item, variant, fields),
        listings l
    WHERE l.account_id = :account AND l.shop_id = :shop AND l.item_code = r.item AND l.variant_code = r.variant
        AND f.account_id = :account AND f.listing_id = l.id AND r.fields ? f.key AND f.owner = 'US'
    """
)

NOTE_CHANGED = text(
    """
    INSERT INTO listing_fields AS f (account_id, listing_id, key, value, changed_at_mall)
    SELECT :account, r.listing_id, r.key, coalesce(o.value, l.fields ->> r.key), :at
    FROM unnest(cast(:listings AS uuid[]), cast(:keys AS text[]), cast(:values AS text[])) AS r (listing_id, key, value)
    JOIN listings l ON l.account_id = :account AND l.id = r.listing_id AND l.fields ->> r.key <> r.value
    LEFT JOIN listing_fields o ON o.account_id = :account AND o.listing_id = r.listing_id AND o.key = r.key
    WHERE o.listing_id IS NULL OR (o.owner = 'US' AND o.value <> r.value)
    ON CONFLICT (account_id, listing_id, key)
        DO UPDATE SET changed_at_mall = coalesce(f.changed_at_mall, excluded.changed_at_mall)
    """
)

TOLD = """(SELECT n.listing_id, jsonb_object_agg(n.key, n.value) AS fields
        FROM unnest(cast(:listings AS uuid[]), cast(:keys AS text[]), cast(:values AS text[])) AS n (listing_id, key, value)
        GROUP BY n.listing_id)"""

LOCK_OTHERWISE = text(
    f"""
    SELECT l.id FROM {TOLD} AS r
    JOIN listings l ON l.account_id = :account AND l.id = r.listing_id AND NOT l.fields @> r.fields
    ORDER BY l.id FOR NO KEY UPDATE OF l
    """  # noqa: S608  constants
)
"""Listings before their fields, as who sets them does."""

NOTE_SHOWN = text(
    f"""
    UPDATE listings l SET fields = l.fields || r.fields FROM {TOLD} AS r
    WHERE l.account_id = :account AND l.id = r.listing_id AND NOT l.fields @> r.fields
    """  # noqa: S608  constants
)


async def lock(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, MallKind]:
    """By listing, its mall; held until commit. Deleted and foreign listings are left out."""
    rows = await tx.execute(LOCK, {"account": tx.account_id, "listings": list(listing_ids)})
    return {row.id: MallKind(row.mall) for row in rows}


async def set_fields(
    tx: Tx,
    fields: Sequence[NewField],
    actor: Mapping[str, Any],
    *,
    sets_value: bool,
    sets_owner: bool,
) -> None:
    """All of them change the same: their value, their owner, or both."""
    if not fields:
        return
    await tx.execute(
        SET,
        {
            "account": tx.account_id,
            "actor": orjson.dumps(actor).decode(),
            "sets_values": sets_value,
            "sets_owners": sets_owner,
            "listings": [each.listing_id for each in fields],
            "keys": [each.key for each in fields],
            "values": [each.value for each in fields],
            "sets": [each.sets_value for each in fields],
            "owners": [each.owner for each in fields],
        },
    )


async def changed(tx: Tx, listing_ids: Collection[UUID]) -> None:
    """These listings are one version further."""
    await tx.execute(CHANGED, {"account": tx.account_id, "listings": list(listing_ids)})


async def follow_file(tx: Tx, shop_id: UUID, fields: Mapping[ItemRef, Mapping[str, str]]) -> None:
    """Where the field is ours, what the mall's file says is our value too (A10.3)."""
    told = {ref: each for ref, each in fields.items() if each}
    if not told:
        return
    await tx.execute(
        FOLLOW_FILE,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "items": [ref.item_code for ref in told],
            "variants": [ref.variant_code for ref in told],
            "fields": [orjson.dumps(dict(each)).decode() for each in told.values()],
        },
    )


async def note_read(tx: Tx, fields: Mapping[UUID, Mapping[str, str]], *, at: datetime) -> None:
    """What the mall was seen with. Where it is another value than before and than ours, our value is kept beside it."""
    parameters = _columns(tx, fields)
    if await _are_otherwise(tx, parameters):
        await tx.execute(NOTE_CHANGED, parameters | {"at": at})
        await tx.execute(NOTE_SHOWN, parameters)


async def note_written(tx: Tx, fields: Mapping[UUID, Mapping[str, str]]) -> None:
    """The mall shows what we sent."""
    parameters = _columns(tx, fields)
    if await _are_otherwise(tx, parameters):
        await tx.execute(NOTE_SHOWN, parameters)


async def _are_otherwise(tx: Tx, parameters: Mapping[str, Any]) -> bool:
    """Is any of them news? Those that are stay locked until commit."""
    return bool(parameters["keys"]) and bool((await tx.execute(LOCK_OTHERWISE, parameters)).all())


def _columns(tx: Tx, fields: Mapping[UUID, Mapping[str, str]]) -> dict[str, Any]:
    flat = [
        (listing, key, value) for listing, each in fields.items() for key, value in each.items()
    ]
    return {
        "account": tx.account_id,
        "listings": [listing for listing, _, _ in flat],
        "keys": [key for _, key, _ in flat],
        "values": [value for _, _, value in flat],
    }
