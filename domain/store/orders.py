"""Orders as facts: the newest lines, what was ever held, what each code meant, and the effect on each product."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.malls import ItemRef, MallOrder, OrderStatus
from domain.model.orders import AllocationState, Effect, Fact, Resolution, fingerprint
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Item:
    """What one code of an order means. `parts` None: linked to nothing (yet), or fulfilled by the mall."""

    ref: ItemRef
    listing_id: UUID | None
    parts: Resolution | None
    quantity: int
    held: int
    mall_restocks: bool | None


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as we have it, locked. `fact` None: it was met just now, or was never read. `unread`: it could not be
    read when it was last asked for."""

    id: UUID
    number: str
    placed_at: datetime
    baseline: bool
    fact: Fact | None
    items: Mapping[ItemRef, Item]
    effects: Mapping[UUID, Effect]
    unread: bool = False

    @property
    def is_new(self) -> bool:
        return self.fact is None and not self.unread


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a shop's code is linked to now. `product_id` None: to nothing."""

    listing_id: UUID
    product_id: UUID | None
    kind: str | None
    managed: bool
    mall_restocks: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    position: int
    ref: ItemRef
    listing_id: UUID | None
    quantity: int
    state: AllocationState


MEET = text(
    """
    INSERT INTO orders (account_id, shop_id, number, placed_at, status, baseline, observed_at, first_observed_at,
        fingerprint, mall_updated_at)
    SELECT :account, :shop, o.number, o.placed_at, o.status, o.baseline, :observed_at, :observed_at, o.fingerprint,
        o.mall_updated_at
    FROM unnest(cast(:numbers AS text[]), cast(:placed AS timestamptz[]), cast(:statuses AS text[]),
        cast(:baselines AS bool[]), cast(:fingerprints AS bigint[]), cast(:mall_updated AS timestamptz[]))
        AS o (number, placed_at, status, baseline, fingerprint, mall_updated_at)
    ORDER BY o.number
    ON CONFLICT (account_id, shop_id, number) DO NOTHING
    RETURNING id, number, placed_at, baseline
    """
)

LOCK = text(
    """
    SELECT id, number, placed_at, status, baseline, observed_at, first_observed_at, unread_at FROM orders
    WHERE account_id = :account AND shop_id = :shop AND number = ANY (:numbers)
    ORDER BY number FOR NO KEY UPDATE
    """
)

ITEMS = text("SELECT * FROM order_items WHERE account_id = :account AND order_id = ANY (:orders)")
EFFECTS = text(
    "SELECT * FROM order_effects WHERE account_id = :account AND order_id = ANY (:orders)"
)

RESOLVE = text(
    """
    SELECT l.id, l.item_code, l.variant_code, p.id AS product_id, p.kind, coalesce(p.managed, false) AS managed,
        coalesce(l.mall_restocks, s.mall_restocks) AS mall_restocks
    FROM unnest(cast(:items AS text[]), cast(:variants AS text[])) AS r (item_code, variant_code)
    JOIN listings l ON l.account_id = :account AND l.shop_id = :shop AND l.item_code = r.item_code
        AND l.variant_code = r.variant_code
    JOIN shops s ON s.account_id = l.account_id AND s.id = l.shop_id
    JOIN links k ON k.account_id = l.account_id AND k.listing_id = l.id
    LEFT JOIN products p ON p.account_id = k.account_id AND p.id = k.product_id AND p.deleted_at IS NULL
    """
)

SEEN = text(
    """
    UPDATE orders AS o SET status = s.status, observed_at = s.observed_at, unread_at = NULL,
        updated_at = clock_timestamp(), fingerprint = coalesce(s.fingerprint, o.fingerprint),
        mall_updated_at = CASE WHEN s.fingerprint IS NULL THEN o.mall_updated_at ELSE s.mall_updated_at END,
        shipped_at = CASE WHEN o.status = 'HOLDS' AND s.status = 'SHIPPED' THEN s.observed_at ELSE o.shipped_at END
    FROM unnest(cast(:orders AS uuid[]), cast(:statuses AS text[]), cast(:observed AS timestamptz[]),
        cast(:fingerprints AS bigint[]), cast(:mall_updated AS timestamptz[]))
        AS s (id, status, observed_at, fingerprint, mall_updated_at)
    WHERE o.account_id = :account AND o.id = s.id
    """
)

SAVE_ITEMS = text(
    """
    INSERT INTO order_items (account_id, order_id, item_code, variant_code, listing_id, parts, quantity, held,
        mall_restocks)
    SELECT :account, i.order_id, i.item_code, i.variant_code, i.listing_id, i.parts, i.quantity, i.held, i.restocks
    FROM unnest(cast(:orders AS uuid[]), cast(:items AS text[]), cast(:variants AS text[]), cast(:listings AS uuid[]),
        cast(:parts AS jsonb[]), cast(:quantities AS int[]), cast(:held AS int[]), cast(:restocks AS bool[]))
        AS i (order_id, item_code, variant_code, listing_id, parts, quantity, held, restocks)
    ON CONFLICT (account_id, order_id, item_code, variant_code) DO UPDATE SET listing_id = excluded.listing_id,
        parts = excluded.parts, quantity = excluded.quantity, held = excluded.held,
        mall_restocks = excluded.mall_restocks
    """
)

SAVE_EFFECTS = text(
    """
    INSERT INTO order_effects (account_id, order_id, product_id, applied, absorbed)
    SELECT :account, e.order_id, e.product_id, e.applied, e.absorbed
    FROM unnest(cast(:orders AS uuid[]), cast(:products AS uuid[]), cast(:applied AS int[]), cast(:absorbed AS int[]))
        AS e (order_id, product_id, applied, absorbed)
    ON CONFLICT (account_id, order_id, product_id) DO UPDATE SET applied = excluded.applied,
        absorbed = excluded.absorbed
    """
)

SAVE_LINES = text(
    """
    INSERT INTO order_lines (account_id, order_id, position, item_code, variant_code, listing_id, quantity, state)
    SELECT :account, l.order_id, l.position, l.item_code, l.variant_code, l.listing_id, l.quantity, l.state
    FROM unnest(cast(:orders AS uuid[]), cast(:positions AS int[]), cast(:items AS text[]), cast(:variants AS text[]),
        cast(:listings AS uuid[]), cast(:quantities AS int[]), cast(:states AS text[]))
        AS l (order_id, position, item_code, variant_code, listing_id, quantity, state)
    ON CONFLICT (account_id, order_id, position) DO UPDATE SET item_code = excluded.item_code,
        variant_code = excluded.variant_code, listing_id = excluded.listing_id, quantity = excluded.quantity,
        state = excluded.state
    """
)

VANISHED = text(
    """
    UPDATE order_lines AS l SET quantity = 0, state = 'RELEASED'
    FROM unnest(cast(:orders AS uuid[]), cast(:counts AS int[])) AS o (id, lines)
    WHERE l.account_id = :account AND l.order_id = o.id AND l.position >= o.lines
    """
)

OPEN = text(
    """
    SELECT number FROM orders
    WHERE account_id = :account AND shop_id = :shop AND status = 'HOLDS' AND coalesce(unread_at, observed_at) < :before
        AND (unread_at IS NOT NULL OR NOT :unread_only)
    ORDER BY coalesce(unread_at, observed_at) LIMIT :at_most
    """
)

LONGEST_UNSEEN = text(
    """
    SELECT min(coalesce(unread_at, observed_at)) FROM orders
    WHERE account_id = :account AND shop_id = :shop AND status = 'HOLDS'
    """
)

SHIPPED = text(
    """
    SELECT number FROM orders
    WHERE account_id = :account AND shop_id = :shop AND status = 'SHIPPED' AND shipped_at >= :since AND observed_at < :before
    ORDER BY observed_at LIMIT :at_most
    """
)

MARK_UNREAD = text(
    """
    WITH marked AS (
        INSERT INTO orders AS o (account_id, shop_id, number, placed_at, status, observed_at, first_observed_at, unread_at)
        SELECT :account, :shop, number, :at, 'HOLDS', :at, :at, :at FROM unnest(cast(:numbers AS text[])) AS number
        ORDER BY number
        ON CONFLICT (account_id, shop_id, number) DO UPDATE SET
            unread_at = CASE o.status WHEN 'HOLDS' THEN excluded.unread_at END,
            observed_at = CASE o.status WHEN 'HOLDS' THEN o.observed_at ELSE greatest(o.observed_at, excluded.observed_at) END
        WHERE o.status IN ('HOLDS', 'SHIPPED')
        RETURNING number, status, old.unread_at AS before)
    SELECT number FROM marked WHERE before IS NULL AND status = 'HOLDS' ORDER BY number
    """
)

ANY_UNREAD = text(
    """
    SELECT EXISTS (SELECT FROM orders WHERE account_id = :account AND shop_id = :shop AND status = 'HOLDS'
        AND unread_at IS NOT NULL)
    """
)

FIRST_READ = text(
    """
    UPDATE orders AS o SET placed_at = r.placed_at, baseline = r.baseline
    FROM unnest(cast(:orders AS uuid[]), cast(:placed AS timestamptz[]), cast(:baselines AS bool[]))
        AS r (id, placed_at, baseline)
    WHERE o.account_id = :account AND o.id = r.id
    """
)

UNLINKED = text(
    """
    SELECT DISTINCT o.number, o.shop_id FROM listings l
    JOIN order_items i ON i.account_id = l.account_id AND i.item_code = l.item_code
        AND i.variant_code = l.variant_code AND i.parts IS NULL
    JOIN orders o ON o.account_id = i.account_id AND o.id = i.order_id AND o.shop_id = l.shop_id
    WHERE l.account_id = :account AND l.id = ANY (:listings)
    ORDER BY o.shop_id, o.number
    """
)

ANY_UNLINKED = text(
    """
    SELECT EXISTS (SELECT FROM order_items i JOIN orders o ON o.account_id = i.account_id AND o.id = i.order_id
        WHERE i.account_id = :account AND i.parts IS NULL AND i.held > 0 AND o.shop_id = :shop AND NOT o.baseline)
    """
)

LINKED = text(
    """
    UPDATE order_lines AS l SET listing_id = r.listing_id, state = r.state
    FROM unnest(cast(:orders AS uuid[]), cast(:items AS text[]), cast(:variants AS text[]), cast(:listings AS uuid[]),
        cast(:states AS text[])) AS r (order_id, item_code, variant_code, listing_id, state)
    WHERE l.account_id = :account AND l.order_id = r.order_id AND l.item_code = r.item_code
        AND l.variant_code = r.variant_code AND l.state = 'UNLINKED'
    """
)

TAKE_TURN = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(s.id::text, 0))
    FROM (SELECT unnest(cast(:shops AS uuid[])) AS id ORDER BY 1) AS s
    """
)

TAKE_EVERY_TURN = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(s.id::text, 0))
    FROM (SELECT id FROM shops WHERE account_id = :account ORDER BY id) AS s
    """
)

NOT_SHIPPED = text(
    """
    WITH lying AS (
        SELECT id FROM orders WHERE account_id = :account AND status = 'HOLDS' AND placed_at <= :at
        UNION ALL
        SELECT id FROM orders
        WHERE account_id = :account AND status = 'SHIPPED' AND shipped_at > :at AND placed_at <= :at)
    SELECT t.product_id, sum(i.quantity * t.units)::int AS units FROM lying
    JOIN order_items i ON i.account_id = :account AND i.order_id = lying.id AND i.parts IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT (part ->> 0)::uuid AS product_id, (part ->> 1)::int AS units FROM jsonb_array_elements(i.parts) AS part) AS t
    WHERE t.product_id = ANY (:products)
    GROUP BY t.product_id
    """
)


async def take_turn(tx: Tx, shop_ids: Collection[UUID]) -> None:
    """Until commit nobody else takes in these shops' orders or changes their links. Take it before products are locked."""
    if shop_ids:
        await tx.execute(TAKE_TURN, {"shops": list(shop_ids)})


async def take_every_turn(tx: Tx) -> None:
    """Like `take_turn`, of all shops of the account."""
    await tx.execute(TAKE_EVERY_TURN, {"account": tx.account_id})


async def not_shipped(tx: Tx, product_ids: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """Units of these products that orders placed by `at` had sold and that still lay on the shelf then, as far as is
    known; products without any are left out.

    An order that was never seen unshipped is taken to have gone before.
    """
    parameters = {"account": tx.account_id, "products": list(product_ids), "at": at}
    rows = await tx.execute(NOT_SHIPPED, parameters)
    return {row.product_id: row.units for row in rows}


async def meet(
    tx: Tx, shop_id: UUID, seen: Sequence[tuple[MallOrder, bool]], observed_at: datetime
) -> dict[str, KnownOrder]:
    """Makes a row for each order not met before ((order, is it baseline)); those, by number."""
    rows = await tx.execute(
        MEET,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "observed_at": observed_at,
            "numbers": [order.number for order, _ in seen],
            "placed": [order.placed_at for order, _ in seen],
            "statuses": [order.status.value for order, _ in seen],
            "baselines": [baseline for _, baseline in seen],
            "fingerprints": [fingerprint(order) for order, _ in seen],
            "mall_updated": [order.updated_at for order, _ in seen],
        },
    )
    return {
        row.number: KnownOrder(row.id, row.number, row.placed_at, row.baseline, None, {}, {})
        for row in rows
    }


async def lock(tx: Tx, shop_id: UUID, numbers: Sequence[str]) -> dict[str, KnownOrder]:
    """By number, held until commit. Those that were never read have no fact yet."""
    if not numbers:
        return {}
    parameters = {"account": tx.account_id, "shop": shop_id, "numbers": list(numbers)}
    rows = (await tx.execute(LOCK, parameters)).all()
    ids = [row.id for row in rows]
    items, effects = await _items(tx, ids), await _effects(tx, ids)
    return {row.number: _known(row, items.get(row.id, {}), effects.get(row.id, {})) for row in rows}


async def resolve(tx: Tx, shop_id: UUID, refs: Sequence[ItemRef]) -> dict[ItemRef, Resolved]:
    """What the shop's codes are linked to now; codes that are no listing of ours are left out."""
    if not refs:
        return {}
    rows = await tx.execute(
        RESOLVE,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "items": [ref.item_code for ref in refs],
            "variants": [ref.variant_code for ref in refs],
        },
    )
    return {
        ItemRef(row.item_code, row.variant_code): Resolved(
            row.id, row.product_id, row.kind, row.managed, row.mall_restocks
        )
        for row in rows
    }


async def save_seen(tx: Tx, facts: Mapping[UUID, Fact], newest: Mapping[UUID, MallOrder]) -> None:
    """`newest`: those of which no later reading is known, as they were read now."""
    if not facts:
        return
    read = [newest.get(order) for order in facts]
    await tx.execute(
        SEEN,
        {
            "account": tx.account_id,
            "orders": list(facts),
            "statuses": [fact.status.value for fact in facts.values()],
            "observed": [fact.observed_at for fact in facts.values()],
            "fingerprints": [order and fingerprint(order) for order in read],
            "mall_updated": [order and order.updated_at for order in read],
        },
    )


async def save_items(tx: Tx, items: Sequence[tuple[UUID, Item]]) -> None:
    if not items:
        return
    await tx.execute(
        SAVE_ITEMS,
        {
            "account": tx.account_id,
            "orders": [order for order, _ in items],
            "items": [item.ref.item_code for _, item in items],
            "variants": [item.ref.variant_code for _, item in items],
            "listings": [item.listing_id for _, item in items],
            "parts": [_parts_json(item.parts) for _, item in items],
            "quantities": [item.quantity for _, item in items],
            "held": [item.held for _, item in items],
            "restocks": [item.mall_restocks for _, item in items],
        },
    )


async def save_effects(tx: Tx, effects: Sequence[tuple[UUID, UUID, Effect]]) -> None:
    """(order, product, effect)."""
    if not effects:
        return
    await tx.execute(
        SAVE_EFFECTS,
        {
            "account": tx.account_id,
            "orders": [order for order, _, _ in effects],
            "products": [product for _, product, _ in effects],
            "applied": [effect.applied for _, _, effect in effects],
            "absorbed": [effect.absorbed for _, _, effect in effects],
        },
    )


async def save_lines(
    tx: Tx, lines: Mapping[UUID, Sequence[Line]], *, before: Collection[UUID]
) -> None:
    """The newest lines of each order. Of one that was there `before` a line that vanished is kept with quantity 0."""
    if not lines:
        return
    flat = [(order, line) for order, those in lines.items() for line in those]
    await tx.execute(
        SAVE_LINES,
        {
            "account": tx.account_id,
            "orders": [order for order, _ in flat],
            "positions": [line.position for _, line in flat],
            "items": [line.ref.item_code for _, line in flat],
            "variants": [line.ref.variant_code for _, line in flat],
            "listings": [line.listing_id for _, line in flat],
            "quantities": [line.quantity for _, line in flat],
            "states": [line.state.value for _, line in flat],
        },
    )
    counts = {order: len(those) for order, those in lines.items() if order in before}
    if counts:
        values = {"orders": list(counts), "counts": list(counts.values())}
        await tx.execute(VANISHED, {"account": tx.account_id} | values)


async def open_numbers(
    tx: Tx, shop_id: UUID, *, before: datetime, unread_only: bool, at_most: int
) -> list[str]:
    """Orders that still hold stock, or could not be read, and were last asked for before `before`, longest ago first."""
    parameters = {"account": tx.account_id, "shop": shop_id, "before": before, "at_most": at_most}
    rows = await tx.execute(OPEN, parameters | {"unread_only": unread_only})
    return list(rows.scalars())


async def longest_unseen(tx: Tx, shop_id: UUID) -> datetime | None:
    """When the open order that was not asked for the longest was asked for, by the mall's clock."""
    at: datetime | None = await tx.scalar(
        LONGEST_UNSEEN, {"account": tx.account_id, "shop": shop_id}
    )
    return at


async def shipped_numbers(
    tx: Tx, shop_id: UUID, *, since: datetime, before: datetime, at_most: int
) -> list[str]:
    """Orders that were seen being shipped since then, and were last asked for before `before`, longest ago first."""
    parameters = {"account": tx.account_id, "shop": shop_id, "since": since, "before": before}
    return list((await tx.execute(SHIPPED, parameters | {"at_most": at_most})).scalars())


async def mark_unread(tx: Tx, shop_id: UUID, numbers: Sequence[str], at: datetime) -> list[str]:
    """Notes that these orders could not be read; those of which that is new."""
    if not numbers:
        return []
    parameters = {"account": tx.account_id, "shop": shop_id, "numbers": list(numbers), "at": at}
    return list((await tx.execute(MARK_UNREAD, parameters)).scalars())


async def any_unread(tx: Tx, shop_id: UUID) -> bool:
    """Is there an order of this shop that could not be read yet?"""
    return bool(await tx.scalar(ANY_UNREAD, {"account": tx.account_id, "shop": shop_id}))


async def first_read(tx: Tx, known: Sequence[KnownOrder]) -> None:
    """When orders that were met unread were placed, and whether they are baseline."""
    if known:
        await tx.execute(
            FIRST_READ,
            {
                "account": tx.account_id,
                "orders": [order.id for order in known],
                "placed": [order.placed_at for order in known],
                "baselines": [order.baseline for order in known],
            },
        )


async def unlinked_orders(tx: Tx, listing_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Numbers of the orders that wait for one of these listings to be linked, by shop; those included that came before
    the listing itself."""
    rows = await tx.execute(UNLINKED, {"account": tx.account_id, "listings": list(listing_ids)})
    numbers: dict[UUID, list[str]] = {}
    for row in rows:
        numbers.setdefault(row.shop_id, []).append(row.number)
    return numbers


async def any_unlinked(tx: Tx, shop_id: UUID) -> bool:
    """Does an order of this shop wait for a link?"""
    parameters = {"account": tx.account_id, "shop": shop_id}
    return bool(await tx.scalar(ANY_UNLINKED, parameters))


async def save_linked(tx: Tx, linked: Sequence[tuple[UUID, Item, AllocationState]]) -> None:
    """(order, item, state): what became of the lines that waited for a link."""
    if not linked:
        return
    await tx.execute(
        LINKED,
        {
            "account": tx.account_id,
            "orders": [order for order, _, _ in linked],
            "items": [item.ref.item_code for _, item, _ in linked],
            "variants": [item.ref.variant_code for _, item, _ in linked],
            "listings": [item.listing_id for _, item, _ in linked],
            "states": [state.value for _, _, state in linked],
        },
    )


async def _items(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[ItemRef, Item]]:
    items: dict[UUID, dict[ItemRef, Item]] = {}
    for row in await tx.execute(ITEMS, {"account": tx.account_id, "orders": list(ids)}):
        ref = ItemRef(row.item_code, row.variant_code)
        parts = (
            None
            if row.parts is None
            else tuple((UUID(product), units) for product, units in row.parts)
        )
        item = Item(ref, row.listing_id, parts, row.quantity, row.held, row.mall_restocks)
        items.setdefault(row.order_id, {})[ref] = item
    return items


async def _effects(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Effect]]:
    effects: dict[UUID, dict[UUID, Effect]] = {}
    for row in await tx.execute(EFFECTS, {"account": tx.account_id, "orders": list(ids)}):
        effects.setdefault(row.order_id, {})[row.product_id] = Effect(row.applied, row.absorbed)
    return effects


def _known(row: Any, items: Mapping[ItemRef, Item], effects: Mapping[UUID, Effect]) -> KnownOrder:
    unread = row.unread_at is not None
    fact = None if unread and not items else _fact(row, items)
    return KnownOrder(row.id, row.number, row.placed_at, row.baseline, fact, items, effects, unread)


def _fact(row: Any, items: Mapping[ItemRef, Item]) -> Fact:
    return Fact(
        status=OrderStatus(row.status),
        lines={ref: item.quantity for ref, item in items.items() if item.quantity},
        observed_at=row.observed_at,
        first_observed_at=row.first_observed_at,
        held={ref: item.held for ref, item in items.items() if item.held},
    )


def _parts_json(parts: Resolution | None) -> str | None:
    if parts is None:
        return None
    return orjson.dumps([[str(product), units] for product, units in parts]).decode()
