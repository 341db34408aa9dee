"""Taking in a page of a shop's orders: facts, effects, movements, and every listing that then differs.

Doing it twice changes nothing. Orders are locked first, then products, then sync rows (DESIGN §2.11).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.model import exposure
from domain.model import orders as rules
from domain.model.base import CLOCK_ERROR, CounterChange, after_change
from domain.model.exposure import Falls
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus
from domain.model.orders import AllocationState, CancelPolicy, Effect, Fact, Resolution
from domain.model.sets import SetPart
from domain.model.stock import Cause, Counts
from domain.model.sync_errors import SyncErrorKind
from domain.services import oversells, sync_errors
from domain.services.ledger import Ledger
from domain.services.sync import Change, Why, reconsider
from domain.store import logs, orders, stock, sync
from domain.store.database import Tx
from domain.store.logs import Sale
from domain.store.orders import Item, KnownOrder, Line, Resolved
from domain.store.shops import Shop
from domain.store.stock import Movement
from domain.store.sync import SyncRow


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading of some orders. `observed_at`: the mall's time when it was asked; `answered_at`: when it was here."""

    orders: Sequence[MallOrder]
    observed_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page: `orders` new or changed and their `lines`, `moved` products, units `deducted`. `unread`:
    orders that could not be read, met for the first time."""

    orders: int
    moved: int
    lines: int
    deducted: int
    unread: int = 0


Baseline = Callable[[MallOrder], bool | None]
"""Is an order that is met for the first time out of the totals already? None: as its shop says."""


def as_the_shop_says(_: MallOrder) -> None:
    return None


@dataclass(slots=True)
class _Outcome:
    """What one page leads to, collected order by order and written at once."""

    facts: dict[UUID, Fact] = field(default_factory=dict)
    first_read: list[KnownOrder] = field(default_factory=list)
    was_unread: bool = False
    items: list[tuple[UUID, Item]] = field(default_factory=list)
    lines: dict[UUID, Sequence[Line]] = field(default_factory=dict)
    effects: dict[tuple[UUID, UUID], Effect] = field(default_factory=dict)
    sales: list[Sale] = field(default_factory=list)
    moves: list[tuple[UUID, int, UUID, datetime]] = field(default_factory=list)
    counters: dict[UUID, list[tuple[CounterChange, bool | None]]] = field(default_factory=dict)
    unlinked: dict[UUID, list[UUID]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Meanings:
    """What the shop's codes are linked to now, the parts of those that are sets, and when each product was counted."""

    resolved: Mapping[ItemRef, Resolved]
    parts: Mapping[UUID, list[SetPart]]
    counts: Mapping[UUID, Counts]


async def take(
    tx: Tx, shop: Shop, seen: Seen, *, baseline: Baseline = as_the_shop_says, now: datetime
) -> Taken:
    """Stores the facts and brings the totals to what they want."""
    await orders.take_turn(tx, [shop.id])
    outcome = await _work_out(tx, shop, seen, baseline)
    if not outcome.facts:
        return Taken(0, 0, 0, 0)
    ledger = await _move(tx, outcome)
    moved = ledger.moved()
    await orders.save_seen(tx, outcome.facts)
    await orders.first_read(tx, outcome.first_read)
    await orders.save_items(tx, outcome.items)
    await orders.save_lines(tx, outcome.lines)
    await orders.save_effects(tx, [(*key, effect) for key, effect in outcome.effects.items()])
    await logs.sales(tx, shop.id, outcome.sales, now)
    await oversells.watch(tx, ledger.movements, now=now)
    await _report_unlinked(tx, shop, outcome.unlinked, now)
    if outcome.was_unread and not await orders.any_unread(tx, shop.id):
        await sync_errors.resolve(tx, shop.id, (SyncErrorKind.ORDER_UNREADABLE,), now=now)
    listings = {*await sync.listings_showing(tx, moved), *outcome.counters}
    await reconsider(
        tx, listings, Why.HAPPENED, now=now, change=_counted(outcome), falls=_falls(ledger)
    )
    lines = sum(len(those) for those in outcome.lines.values())
    deducted = -sum(delta for _, delta, *_ in outcome.moves if delta < 0)
    return Taken(len(outcome.lines), len(moved), lines, deducted)


async def take_stored(tx: Tx, shop: Shop, numbers: Sequence[str], *, now: datetime) -> None:
    """Orders that waited for a link: their stored facts, resolved again. Nothing new is learnt of the mall.

    The shop's turn must have been taken.
    """
    outcome = _Outcome()
    known = await orders.lock(tx, shop.id, numbers)
    refs = sorted({ref for order in known.values() for ref in order.items})
    meanings = await _resolve(tx, shop, refs)
    for order in known.values():
        if order.fact is not None:
            _apply(outcome, shop, order, order.fact, meanings)
    ledger = await _move(tx, outcome)
    await orders.save_items(tx, outcome.items)
    await orders.save_effects(tx, [(*key, effect) for key, effect in outcome.effects.items()])
    await orders.save_linked(tx, _linked(known.values(), outcome))
    await oversells.watch(tx, ledger.movements, linked_late=True, now=now)
    listings = await sync.listings_showing(tx, ledger.moved())
    await reconsider(tx, listings, Why.HAPPENED, now=now, falls=_falls(ledger))
    if not await orders.any_unlinked(tx, shop.id):
        await sync_errors.resolve(tx, shop.id, (SyncErrorKind.ORDER_UNLINKED,), now=now)


async def _work_out(tx: Tx, shop: Shop, seen: Seen, baseline: Baseline) -> _Outcome:
    by_number = {
        order.number: order for order in sorted(seen.orders, key=lambda order: order.number)
    }
    if not by_number:
        return _Outcome()
    met = await orders.meet(
        tx,
        shop.id,
        [(order, _is_baseline(shop, order, baseline)) for order in by_number.values()],
        seen.observed_at,
    )
    known = await orders.lock(tx, shop.id, list(by_number), met=met)
    changed = [order for order in known.values() if _is_news(order, by_number[order.number], seen)]
    refs = sorted({line.ref for order in changed for line in by_number[order.number].lines})
    meanings = await _resolve(tx, shop, refs)
    outcome = _Outcome()
    for number, order in known.items():
        if order.fact is None and order.unread:
            order = _placed(shop, order, by_number[number], baseline)
            outcome.first_read.append(order)
        outcome.was_unread |= order.unread
        _note(outcome, shop, order, by_number[number], seen, meanings)
    return outcome


def _placed(shop: Shop, known: KnownOrder, order: MallOrder, baseline: Baseline) -> KnownOrder:
    """Met unread, it tells only now when it was placed."""
    return replace(known, placed_at=order.placed_at, baseline=_is_baseline(shop, order, baseline))


def _is_baseline(shop: Shop, order: MallOrder, baseline: Baseline) -> bool:
    """Orders from before the shop joined were counted with its stock: seen, never deducted. In doubt they deduct."""
    told = baseline(order)
    if told is not None:
        return told
    resolution = MALL_SPECS[shop.mall].capabilities.order_time_resolution
    return shop.effective_from is not None and order.placed_at + resolution <= shop.effective_from


async def _resolve(tx: Tx, shop: Shop, refs: Sequence[ItemRef]) -> _Meanings:
    resolved = await orders.resolve(tx, shop.id, refs)
    sets = [each.product_id for each in resolved.values() if each.kind == "SET" and each.product_id]
    parts, _ = await sync.parts_of(tx, sets)
    products = {each.product_id for each in resolved.values() if each.product_id}
    products |= {part.product_id for those in parts.values() for part in those}
    return _Meanings(resolved, parts, await stock.counts(tx, products))


def _note(
    outcome: _Outcome,
    shop: Shop,
    known: KnownOrder,
    order: MallOrder,
    seen: Seen,
    meanings: _Meanings,
) -> None:
    """One order: what its reading says, what it wants, and what it did to the mall's own counters."""
    reading = rules.observed(order, seen.observed_at)
    fact = rules.merged(known.fact, reading)
    outcome.facts[known.id] = fact
    if known.fact is not None and _says_the_same(known.fact, fact):
        return
    items = _apply(outcome, shop, known, fact, meanings)
    newest = known.fact is None or fact.observed_at == reading.observed_at
    if newest:
        outcome.lines[known.id] = _lines(outcome, known, order, items)
        _note_counters(outcome, shop, known, reading, order, seen, items)


def _is_news(known: KnownOrder, order: MallOrder, seen: Seen) -> bool:
    """Most of a page was there when it was read before: what its codes mean is asked for no more."""
    if known.fact is None:
        return True
    reading = rules.observed(order, seen.observed_at)
    return not _says_the_same(known.fact, rules.merged(known.fact, reading))


def _says_the_same(known: Fact, fact: Fact) -> bool:
    return (known.status, known.lines, known.held) == (fact.status, fact.lines, fact.held)


def _apply(
    outcome: _Outcome,
    shop: Shop,
    known: KnownOrder,
    fact: Fact,
    meanings: _Meanings,
) -> dict[ItemRef, Item]:
    """Brings the order's effect to what the fact wants; the order's items as they are now."""
    items = {
        ref: _item(ref, known, fact, meanings)
        for ref in sorted({*known.items, *fact.lines, *fact.held})
    }
    outcome.items += [
        (known.id, item) for item in items.values() if item != known.items.get(item.ref)
    ]
    _note_unlinked(outcome, known, items.values())
    resolutions = {ref: item.parts for ref, item in items.items()}
    policy = CancelPolicy(shop.cancel_policy)
    counted = _counted_before(known, fact, items, policy, meanings.counts)
    for product_id, units in sorted(rules.wanted(fact, resolutions, policy).items()):
        _effect(outcome, known, product_id, units, counted.get(product_id, 0))
    _note_sales(outcome, known, fact, items)
    return items


def _counted_before(
    known: KnownOrder,
    fact: Fact,
    items: Mapping[ItemRef, Item],
    policy: CancelPolicy,
    counts: Mapping[UUID, Counts],
) -> dict[UUID, int]:
    """Units of what the order takes for the first time now, and a count had taken off before. What is added to an order
    that was known already is no such thing: that happened since."""
    late = {ref for ref, item in known.items.items() if item.parts is None}
    first = {*items} - {*known.items} if known.fact is None else set()
    units: dict[UUID, int] = {}
    for refs, linked_late in ((first, False), (late, True)):
        new = {ref: items[ref].parts for ref in refs}
        for product_id, wanted in rules.wanted(fact, new, policy).items():
            if counts[product_id].took_off(known.placed_at, linked_late=linked_late):
                units[product_id] = units.get(product_id, 0) + wanted
    return units


def _note_unlinked(outcome: _Outcome, known: KnownOrder, items: Iterable[Item]) -> None:
    """What is met for the first time, should take stock and cannot."""
    waiting = [
        item
        for item in items
        if item.parts is None and item.held and not known.baseline and not _held(known, item)
    ]
    if waiting:
        outcome.unlinked[known.id] = [item.listing_id for item in waiting if item.listing_id]


def _held(known: KnownOrder, item: Item) -> bool:
    before = known.items.get(item.ref)
    return before is not None and before.held > 0


def _item(
    ref: ItemRef,
    known: KnownOrder,
    fact: Fact,
    meanings: _Meanings,
) -> Item:
    """A code keeps the meaning it had when it was first applied."""
    before, now = known.items.get(ref), meanings.resolved.get(ref)
    kept = before.parts if before else None
    meaning = _meaning(now, meanings) if kept is None else kept
    listing_id = (before.listing_id if before else None) or (now.listing_id if now else None)
    restocks = now.mall_restocks if now else None
    return Item(ref, listing_id, meaning, fact.lines.get(ref, 0), fact.held.get(ref, 0), restocks)


def _meaning(now: Resolved | None, meanings: _Meanings) -> Resolution | None:
    if now is None or now.product_id is None:
        return None
    unmanaged = frozenset() if now.managed else frozenset({now.product_id})
    return rules.resolve(now.product_id, meanings.parts.get(now.product_id, ()), unmanaged)


def _effect(
    outcome: _Outcome, known: KnownOrder, product_id: UUID, units: int, counted: int
) -> None:
    """`counted`: units of it that a count has taken off already."""
    before = known.effects.get(product_id, Effect())
    if known.baseline:
        after, delta = rules.absorb(before, units), 0
    else:
        after, delta = rules.next_effect(rules.taken_off(before, counted), units)
    if after != before:
        outcome.effects[known.id, product_id] = after
    if delta:
        outcome.moves.append((product_id, delta, known.id, known.placed_at))


def _note_sales(
    outcome: _Outcome, known: KnownOrder, fact: Fact, items: Mapping[ItemRef, Item]
) -> None:
    before = known.fact.holding if known.fact else {}
    for ref, item in items.items():
        units = fact.holding.get(ref, 0) - before.get(ref, 0)
        if units:
            product_id = item.parts[0][0] if item.parts and len(item.parts) == 1 else None
            outcome.sales.append(Sale(known.id, ref, item.listing_id, product_id, units))


def _note_counters(
    outcome: _Outcome,
    shop: Shop,
    known: KnownOrder,
    reading: Fact,
    order: MallOrder,
    seen: Seen,
    items: Mapping[ItemRef, Item],
) -> None:
    spec = MALL_SPECS[shop.mall].capabilities
    sold = rules.sale_time(order, spec.order_time_resolution, CLOCK_ERROR)
    changes = rules.counter_changes(
        known.fact, reading, sold, answered_at=seen.answered_at, lag=spec.order_lag + CLOCK_ERROR
    )
    told = {line.ref: line.mall_restocks for line in order.lines}
    for ref, steps in changes.items():
        item = items.get(ref)
        if item is not None and item.listing_id is not None:
            restocks = told.get(ref) if told.get(ref) is not None else item.mall_restocks
            outcome.counters.setdefault(item.listing_id, []).extend(
                (step, restocks) for step in steps
            )


def _lines(
    outcome: _Outcome, known: KnownOrder, order: MallOrder, items: Mapping[ItemRef, Item]
) -> list[Line]:
    lines = []
    for position, line in enumerate(order.lines):
        item = items.get(line.ref)
        state = _state(outcome, line, known, order.status, item)
        listing_id = item.listing_id if item else None
        lines.append(Line(position, line.ref, listing_id, line.quantity, state))
    return lines


def _state(
    outcome: _Outcome,
    line: MallOrderLine,
    known: KnownOrder,
    status: OrderStatus,
    item: Item | None,
) -> AllocationState:
    if line.fulfilled_by_mall:
        return AllocationState.FULFILLED_BY_MALL
    if status is OrderStatus.RELEASED:
        return AllocationState.RELEASED
    return AllocationState.UNLINKED if item is None else _state_of_item(outcome, known, item)


def _state_of_item(outcome: _Outcome, known: KnownOrder, item: Item) -> AllocationState:
    """COUNTED_BEFORE: linked, and yet it takes nothing."""
    if item.parts is None:
        return AllocationState.UNLINKED
    if known.baseline:
        return AllocationState.BASELINE
    effects = [
        outcome.effects.get((known.id, product_id)) or known.effects.get(product_id, Effect())
        for product_id, _ in item.parts
    ]
    counted = all(effect.absorbed and not effect.applied for effect in effects)
    return AllocationState.COUNTED_BEFORE if counted else AllocationState.APPLIED


def _linked(
    known: Iterable[KnownOrder], outcome: _Outcome
) -> list[tuple[UUID, Item, AllocationState]]:
    by_id = {order.id: order for order in known}
    return [
        (order_id, item, _state_of_item(outcome, by_id[order_id], item))
        for order_id, item in outcome.items
    ]


async def _move(tx: Tx, outcome: _Outcome) -> Ledger:
    """An order moves products that were deleted since, too; what became a set since holds nothing to be moved."""
    product_ids = {product_id for product_id, *_ in outcome.moves}
    ledger = await Ledger.locked(tx, product_ids, deleted=True)
    for product_id, delta, order_id, placed_at in outcome.moves:
        if ledger.products[product_id].kind == "SET":
            continue
        cause = Cause.ORDER if delta < 0 else Cause.CANCEL
        ledger.move(product_id, delta, cause, effective_at=placed_at, order_id=order_id)
    await ledger.write(tx)
    return ledger


def _falls(ledger: Ledger) -> Falls:
    """What these orders left of each product, by when they were placed."""
    sold: dict[UUID, list[Movement]] = {}
    for each in ledger.movements:
        sold.setdefault(each.product_id, []).append(each)
    return {
        product_id: exposure.falls(
            those[0].before, ((each.effective_at, each.delta) for each in those)
        )
        for product_id, those in sold.items()
    }


async def _report_unlinked(
    tx: Tx, shop: Shop, unlinked: Mapping[UUID, Sequence[UUID]], now: datetime
) -> None:
    """`unlinked`: by order, those of its listings that there are."""
    if unlinked:
        await sync_errors.report(
            tx,
            SyncErrorKind.ORDER_UNLINKED,
            shop_id=shop.id,
            shop_name=shop.name,
            listing_ids={listing for those in unlinked.values() for listing in those},
            count=len(unlinked),
            now=now,
        )


def _counted(outcome: _Outcome) -> Change:
    """Notes on each listing's base, and on what was believed before a reading, what the orders did to the counter."""

    def change(row: SyncRow) -> SyncRow:
        base, believed = row.base, row.believed
        for step, restocks in outcome.counters.get(row.listing_id, ()):
            base = after_change(base, step, restocks)
            believed = believed and after_change(believed, step, restocks)
        return replace(row, base=base, believed=believed)

    return change
