"""What a page of orders leads to, worked out order by order: items, effects, movements, sales, and what it did to the
malls' own counters. Nothing is asked of the database here, and nothing written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.model import orders as rules
from domain.model.base import CLOCK_ERROR, CounterChange
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus
from domain.model.orders import AllocationState, CancelPolicy, Effect, Fact, Resolution
from domain.model.sets import SetPart
from domain.model.stock import Counts
from domain.store.logs import Sale
from domain.store.orders import Item, KnownOrder, Line, Resolved
from domain.store.shops import Shop


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading of some orders. `observed_at`: the mall's time when it was asked; `answered_at`: when it was here."""

    orders: Sequence[MallOrder]
    observed_at: datetime
    answered_at: datetime


@dataclass(slots=True)
class Outcome:
    """What one page leads to, collected order by order and written at once. `facts`, and `newest` readings: of orders that
    were there before."""

    facts: dict[UUID, Fact] = field(default_factory=dict)
    newest: dict[UUID, MallOrder] = field(default_factory=dict)
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
class Meanings:
    """What the shop's codes are linked to now, the parts of those that are sets, and when each product was counted."""

    resolved: Mapping[ItemRef, Resolved]
    parts: Mapping[UUID, list[SetPart]]
    counts: Mapping[UUID, Counts]


def note(
    outcome: Outcome,
    shop: Shop,
    known: KnownOrder,
    order: MallOrder,
    seen: Seen,
    meanings: Meanings,
) -> None:
    """One order: what its reading says, what it wants, and what it did to the mall's own counters."""
    reading = rules.observed(order, seen.observed_at)
    fact = rules.merged(known.fact, reading)
    newest = known.fact is None or fact.observed_at == reading.observed_at
    if not known.is_new:
        outcome.facts[known.id] = fact
    if newest and not known.is_new:
        outcome.newest[known.id] = order
    if known.fact is not None and _says_the_same(known.fact, fact):
        return
    items = apply(outcome, shop, known, fact, meanings)
    if newest:
        outcome.lines[known.id] = _lines(outcome, known, order, items)
        _note_counters(outcome, shop, known, reading, order, seen, items)


def _says_the_same(known: Fact, fact: Fact) -> bool:
    return (known.status, known.lines, known.held) == (fact.status, fact.lines, fact.held)


def apply(
    outcome: Outcome,
    shop: Shop,
    known: KnownOrder,
    fact: Fact,
    meanings: Meanings,
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


def _note_unlinked(outcome: Outcome, known: KnownOrder, items: Iterable[Item]) -> None:
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
    meanings: Meanings,
) -> Item:
    """A code keeps the meaning it had when it was first applied."""
    before, now = known.items.get(ref), meanings.resolved.get(ref)
    kept = before.parts if before else None
    meaning = _meaning(now, meanings) if kept is None else kept
    listing_id = (before.listing_id if before else None) or (now.listing_id if now else None)
    restocks = now.mall_restocks if now else None
    return Item(ref, listing_id, meaning, fact.lines.get(ref, 0), fact.held.get(ref, 0), restocks)


def _meaning(now: Resolved | None, meanings: Meanings) -> Resolution | None:
    if now is None or now.product_id is None:
        return None
    unmanaged = frozenset() if now.managed else frozenset({now.product_id})
    return rules.resolve(now.product_id, meanings.parts.get(now.product_id, ()), unmanaged)


def _effect(
    outcome: Outcome, known: KnownOrder, product_id: UUID, units: int, counted: int
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
    outcome: Outcome, known: KnownOrder, fact: Fact, items: Mapping[ItemRef, Item]
) -> None:
    before = known.fact.holding if known.fact else {}
    for ref, item in items.items():
        units = fact.holding.get(ref, 0) - before.get(ref, 0)
        if units:
            product_id = item.parts[0][0] if item.parts and len(item.parts) == 1 else None
            outcome.sales.append(Sale(known.id, ref, item.listing_id, product_id, units))


def _note_counters(
    outcome: Outcome,
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
    outcome: Outcome, known: KnownOrder, order: MallOrder, items: Mapping[ItemRef, Item]
) -> list[Line]:
    lines = []
    for position, line in enumerate(order.lines):
        item = items.get(line.ref)
        state = _state(outcome, line, known, order.status, item)
        listing_id = item.listing_id if item else None
        lines.append(Line(position, line.ref, listing_id, line.quantity, state))
    return lines


def _state(
    outcome: Outcome,
    line: MallOrderLine,
    known: KnownOrder,
    status: OrderStatus,
    item: Item | None,
) -> AllocationState:
    if line.fulfilled_by_mall:
        return AllocationState.FULFILLED_BY_MALL
    if status is OrderStatus.RELEASED:
        return AllocationState.RELEASED
    return AllocationState.UNLINKED if item is None else state_of_item(outcome, known, item)


def state_of_item(outcome: Outcome, known: KnownOrder, item: Item) -> AllocationState:
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
