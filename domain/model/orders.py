"""What an order means for our totals, and what it did to the mall's own counter.

An order is kept as one fact: its newest lines, and the most of each line that was ever seen holding.
From it follows what the order wants of each product; the effect brings the total there, once, however
often, late or out of order the fact arrives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from domain.model.base import CounterChange, stamped
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, MallTime, OrderStatus
from domain.model.sets import SetPart

Resolution = tuple[tuple[UUID, int], ...]
"""What one sold item takes: (product, units). Empty: linked, but not counted."""

Resolutions = Mapping[ItemRef, Resolution | None]
"""As they were when the order was first applied. None: unlinked, or fulfilled by the mall."""


class CancelPolicy(StrEnum):
    """IGNORE: a cancel or cut never gives back. RESTORE: it gives back what was taken, never more."""

    IGNORE = "IGNORE"
    RESTORE = "RESTORE"


class AllocationState(StrEnum):
    """What became of an order line here."""

    APPLIED = "APPLIED"
    RELEASED = "RELEASED"
    BASELINE = "BASELINE"
    COUNTED_BEFORE = "COUNTED_BEFORE"
    UNLINKED = "UNLINKED"
    FULFILLED_BY_MALL = "FULFILLED_BY_MALL"


@dataclass(frozen=True, slots=True)
class Fact:
    """One order as it is now. `lines` and `held` sum its lines by item; what the mall fulfils is left out.

    `held` is the most of each item that was ever seen holding stock, in observations from the first on:
    an order first seen cancelled holds nothing (its tombstone) until a newer observation holds.
    """

    status: OrderStatus
    lines: Mapping[ItemRef, int]
    observed_at: datetime
    first_observed_at: datetime
    held: Mapping[ItemRef, int]

    @property
    def holding(self) -> Mapping[ItemRef, int]:
        """What it takes at the mall now. Shipped goods stay taken."""
        return {} if self.status is OrderStatus.RELEASED else self.lines


@dataclass(frozen=True, slots=True)
class Effect:
    """What one order does to one product. `absorbed` units are neither deducted nor given back."""

    applied: int = 0
    absorbed: int = 0


def fingerprint(order: MallOrder) -> int:
    """Equal for readings that say the same of an order; 64 bits, signed."""
    lines = [
        (
            line.ref.item_code,
            line.ref.variant_code,
            line.quantity,
            line.fulfilled_by_mall,
            line.mall_restocks,
        )
        for line in order.lines
    ]
    said = repr((order.status.value, order.updated_at, lines))
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), signed=True)


def observed(order: MallOrder, observed_at: datetime) -> Fact:
    """What one reading of an order says. `observed_at`: when its request was sent."""
    lines = summed(order.lines)
    held = {} if order.status is OrderStatus.RELEASED else lines
    return Fact(order.status, lines, observed_at, observed_at, held)


def summed(lines: Iterable[MallOrderLine]) -> dict[ItemRef, int]:
    """Lines by item; line ids do not survive real malls and real orders repeat items."""
    totals: dict[ItemRef, int] = {}
    for line in lines:
        if not line.fulfilled_by_mall:
            totals[line.ref] = totals.get(line.ref, 0) + line.quantity
    return totals


def newer(old_observed_at: datetime, new_observed_at: datetime) -> bool:
    """May the new observation replace the old? Of two of the same moment the later to arrive does."""
    return new_observed_at >= old_observed_at


def merged(known: Fact | None, seen: Fact) -> Fact:
    """The fact after one more observation. One older than the first we ever had says nothing."""
    if known is None:
        return seen
    if seen.observed_at < known.first_observed_at:
        return known
    newest = seen if newer(known.observed_at, seen.observed_at) else known
    return replace(
        newest, first_observed_at=known.first_observed_at, held=_most(known.held, seen.held)
    )


def resolve(
    product_id: UUID, parts: Sequence[SetPart], unmanaged: frozenset[UUID] = frozenset()
) -> Resolution:
    """What one sold item of a linked listing takes: of a set its parts. Unmanaged products are not counted."""
    if product_id in unmanaged:
        return ()
    if not parts:
        return ((product_id, 1),)
    return tuple((p.product_id, p.count) for p in parts if p.product_id not in unmanaged)


def wanted(fact: Fact, resolutions: Resolutions, policy: CancelPolicy) -> dict[UUID, int]:
    """Units of each product that the order should have taken; 0 for a line that vanished."""
    items = fact.held if policy is CancelPolicy.IGNORE else fact.holding
    units = {product: 0 for taken in resolutions.values() for product, _ in taken or ()}
    for ref, quantity in items.items():
        for product, per_item in resolutions.get(ref) or ():
            units[product] += quantity * per_item
    return units


def next_effect(effect: Effect, wanted: int) -> tuple[Effect, int]:
    """The effect that does what is wanted, and the movement of the total that brings it about."""
    applied = max(0, wanted - effect.absorbed)
    return replace(effect, applied=applied), effect.applied - applied


def absorb(effect: Effect, wanted: int) -> Effect:
    """The order's units are already out of the total by other means (baseline): no movement."""
    return Effect(applied=0, absorbed=max(wanted, effect.applied + effect.absorbed))


def taken_off(effect: Effect, units: int) -> Effect:
    """A count has taken these units of the order off the total already, before they were known here."""
    return replace(effect, absorbed=effect.absorbed + units)


def sale_time(order: MallOrder, resolution: timedelta, clock_error: timedelta) -> MallTime:
    """When the counter fell for an order seen for the first time.

    An order that was updated since it was placed may have been raised by then.
    """
    placed = stamped(order.placed_at, resolution, clock_error)
    if order.updated_at is None:
        return placed
    updated = stamped(order.updated_at, resolution, clock_error)
    return MallTime(placed.earliest, max(placed.latest, updated.latest))


def counter_changes(
    known: Fact | None,
    seen: Fact,
    sold: MallTime,
    *,
    answered_at: datetime,
    lag: timedelta = timedelta(),
) -> dict[ItemRef, tuple[CounterChange, ...]]:
    """What this observation tells of the mall's counters, by item; nothing if it is an older one.

    `sold`: the order's `sale_time`. Later changes came after the observation before (which may have shown
    a state `lag` old) and before `answered_at`, when this one was in hand.
    """
    if known is None:
        return _changes({}, seen, _until(sold, answered_at), _from(sold.earliest, answered_at))
    if not newer(known.observed_at, seen.observed_at) or _stays_released(known, seen):
        return {}
    since = _from(known.observed_at - lag, answered_at)
    return _changes(known.holding, seen, since, since)


def _changes(
    before: Mapping[ItemRef, int], seen: Fact, taken_at: MallTime, cut_at: MallTime
) -> dict[ItemRef, tuple[CounterChange, ...]]:
    """A cancelled order may have been raised first: it took the most that its lines show."""
    most, after = _most(before, seen.lines), seen.holding
    changes = {
        ref: (
            CounterChange(units - before.get(ref, 0), taken_at),
            CounterChange(after.get(ref, 0) - units, cut_at),
        )
        for ref, units in most.items()
    }
    return {
        ref: kept for ref, both in changes.items() if (kept := tuple(c for c in both if c.units))
    }


def _stays_released(known: Fact, seen: Fact) -> bool:
    return known.status is seen.status is OrderStatus.RELEASED


def _until(moment: MallTime, end: datetime) -> MallTime:
    return _from(moment.earliest, min(moment.latest, end))


def _from(earliest: datetime, latest: datetime) -> MallTime:
    return MallTime(earliest, max(earliest, latest))


def _most(left: Mapping[ItemRef, int], right: Mapping[ItemRef, int]) -> dict[ItemRef, int]:
    return {ref: max(left.get(ref, 0), right.get(ref, 0)) for ref in left.keys() | right.keys()}
