"""在庫マイナス: products of which malls sold more than there was, one open incident each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.model.oversells import Crossing, OversellCause, Scarcity, Shown
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Fall:
    """An order's movement that left a product below zero. `units`: how far."""

    product_id: UUID
    version: int
    order_id: UUID
    taken: int
    units: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the records say of a fall: where it happened, and whose sale had taken the rest."""

    crossing: Crossing
    shop_id: UUID
    other_shop_id: UUID | None


OPEN = text(
    """
    INSERT INTO oversell_incidents AS i (account_id, product_id, order_id, units, opened_at)
    SELECT :account, f.product_id, f.order_id, f.units, :at
    FROM unnest(cast(:products AS uuid[]), cast(:orders AS uuid[]), cast(:units AS int[]))
        AS f (product_id, order_id, units)
    ORDER BY f.product_id
    ON CONFLICT (account_id, product_id) WHERE closed_at IS NULL DO UPDATE SET units = greatest(i.units, excluded.units)
    RETURNING i.id, i.product_id, old.id IS NULL AS is_new
    """
)

CLOSE = text(
    """
    UPDATE oversell_incidents SET closed_at = clock_timestamp()
    WHERE account_id = :account AND product_id = ANY (:products) AND closed_at IS NULL
    """
)

EXPLAIN = text(
    """
    WITH fallen AS (
        SELECT * FROM unnest(cast(:products AS uuid[]), cast(:versions AS bigint[]), cast(:orders AS uuid[]),
            cast(:taken AS int[])) AS f (product_id, version, order_id, taken))
    SELECT f.product_id, o.placed_at, o.shop_id, sold.units AS sold, sold.as_part,
        CASE WHEN y.base_latest < o.placed_at THEN y.base END AS shown,
        y.base_source IN ('READ_BACK', 'FILE') AND y.base > stood.quantity AS raised,
        m.recorded_at AS scarce_at, coalesce(other.listing_id <> sold.listing_id, false) AS elsewhere,
        other.as_part AS other_part, other.shop_id AS other_shop_id,
        EXISTS (SELECT FROM pushes p WHERE p.account_id = :account AND p.listing_id = sold.listing_id
            AND p.sent_at BETWEEN m.recorded_at AND o.placed_at AND p.quantity < f.taken
            AND p.state IN ('REFUSED', 'UNKNOWN', 'SUPERSEDED')) AS push_failed,
        EXISTS (SELECT FROM stock_movements c JOIN stock_movements h ON h.account_id = c.account_id
            AND h.product_id = c.product_id AND h.stock_version > c.stock_version AND h.delta = c.delta
            AND h.cause IN ('ADJUSTED', 'SET_BY_HAND', 'COUNTED', 'IMPORT')
            WHERE c.account_id = :account AND c.product_id = f.product_id AND c.cause = 'CANCEL'
                AND c.id >= renkei_uuid_at(clock_timestamp() - interval '30 days')
                AND h.id >= renkei_uuid_at(clock_timestamp() - interval '30 days')
                AND h.stock_version < f.version) AS restored_twice
    FROM fallen f JOIN orders o ON o.account_id = :account AND o.id = f.order_id
    LEFT JOIN LATERAL (
        SELECT i.listing_id, k.product_id <> f.product_id AS as_part, (
            SELECT sum(s.held)::int FROM order_items s JOIN orders w ON w.account_id = s.account_id AND w.id = s.order_id
            WHERE s.account_id = :account AND s.order_id = ANY (:together) AND s.listing_id = i.listing_id
                AND w.placed_at <= o.placed_at AND w.fetched_at >= transaction_timestamp()) AS units
        FROM order_items i JOIN links k ON k.account_id = i.account_id AND k.listing_id = i.listing_id
        WHERE i.account_id = :account AND i.order_id = o.id
            AND i.parts @> jsonb_build_array(jsonb_build_array(f.product_id))
        ORDER BY i.listing_id LIMIT 1) AS sold ON true
    LEFT JOIN listing_sync y ON y.account_id = :account AND y.listing_id = sold.listing_id
    LEFT JOIN LATERAL (
        SELECT p.quantity FROM pushes p WHERE p.account_id = :account AND p.listing_id = sold.listing_id
            AND p.state IN ('ACCEPTED', 'APPLIED') AND p.sent_at < o.placed_at
        ORDER BY p.id DESC LIMIT 1) AS stood ON true
    LEFT JOIN LATERAL (
        SELECT g.recorded_at, g.order_id FROM stock_movements g
        WHERE g.account_id = :account AND g.product_id = f.product_id AND g.stock_version < f.version
            AND g.balance_before >= f.taken AND g.balance_after < f.taken
        ORDER BY g.id DESC LIMIT 1) AS m ON true
    LEFT JOIN LATERAL (
        SELECT w.shop_id, i.listing_id, k.product_id <> f.product_id AS as_part
        FROM orders w JOIN order_items i ON i.account_id = w.account_id AND i.order_id = w.id
        JOIN links k ON k.account_id = i.account_id AND k.listing_id = i.listing_id
        WHERE w.account_id = :account AND w.id = m.order_id
            AND i.parts @> jsonb_build_array(jsonb_build_array(f.product_id))
        ORDER BY i.listing_id LIMIT 1) AS other ON true
    """
)

NOTE = text(
    """
    UPDATE oversell_incidents i SET cause = n.cause, shop_id = n.shop_id, other_shop_id = n.other_shop_id
    FROM unnest(cast(:ids AS uuid[]), cast(:causes AS text[]), cast(:shops AS uuid[]), cast(:others AS uuid[]))
        AS n (id, cause, shop_id, other_shop_id)
    WHERE i.account_id = :account AND i.id = n.id
    """
)


async def open_incidents(tx: Tx, falls: Sequence[Fall], *, at: datetime) -> dict[UUID, UUID]:
    """Product to incident: those that are new. What was below zero already is noted to be further."""
    values = {
        "account": tx.account_id,
        "products": [fall.product_id for fall in falls],
        "orders": [fall.order_id for fall in falls],
        "units": [fall.units for fall in falls],
        "at": at,
    }
    rows = await tx.execute(OPEN, values)
    return {row.product_id: row.id for row in rows if row.is_new}


async def close(tx: Tx, product_ids: Collection[UUID]) -> None:
    await tx.execute(CLOSE, {"account": tx.account_id, "products": list(product_ids)})


async def explain(
    tx: Tx,
    falls: Sequence[Fall],
    *,
    together: Collection[UUID],
    linked_late: bool,
    at: datetime,
) -> Mapping[UUID, Found]:
    """By product. `together`: the orders that came in with these."""
    values = {
        "account": tx.account_id,
        "products": [fall.product_id for fall in falls],
        "versions": [fall.version for fall in falls],
        "orders": [fall.order_id for fall in falls],
        "taken": [fall.taken for fall in falls],
        "together": list(together),
    }
    found = {}
    for row in await tx.execute(EXPLAIN, values):
        scarce = row.scarce_at and Scarcity(row.scarce_at, row.elsewhere, bool(row.other_part))
        shown = None if row.shown is None else Shown(row.shown, bool(row.raised))
        crossing = Crossing(
            row.placed_at,
            at,
            row.sold or 0,
            shown,
            scarce,
            bool(row.as_part),
            row.push_failed,
            row.restored_twice,
            linked_late,
        )
        found[row.product_id] = Found(crossing, row.shop_id, row.other_shop_id)
    return found


async def note(tx: Tx, causes: Sequence[tuple[UUID, OversellCause, UUID, UUID | None]]) -> None:
    """(incident, its cause, the shop that sold, the shop that had sold before)."""
    values = {
        "account": tx.account_id,
        "ids": [each[0] for each in causes],
        "causes": [each[1].value for each in causes],
        "shops": [each[2] for each in causes],
        "others": [each[3] for each in causes],
    }
    await tx.execute(NOTE, values)
