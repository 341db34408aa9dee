"""The base: what we believe a mall's counter reads, as of when, or that we do not know.

A mall lowers its own counter the moment it sells, and our absolute write may put that unit back. So a
change of the counter moves the base only if the mall made it definitely after the moment at which the
base was true: what came before was overwritten by our write, or is already in our reading. What cannot
be told apart makes the base unknown. Changes keep `at`, so they may be learnt of in any order.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.malls import MallTime, StockReading

CLOCK_ERROR = timedelta(seconds=1)
"""How far two clocks of one mall (that of its orders and that of its answers) may stand apart."""

SURELY_LATER = 2 * CLOCK_ERROR
"""Beyond a moment of the mall's: what is sent so much later was surely, by its answer's whole second, sent after it."""

RECENT = timedelta(hours=1)
"""A change of the counter rests on what was written or read within this time: so what somebody edits at the mall stays
no longer than where every number is absolute and one an hour is looked at."""


class MallStockSource(StrEnum):
    """Where the last number came from; kept while the base is unknown."""

    NEVER_SEEN = "NEVER_SEEN"
    FILE = "FILE"
    READ_BACK = "READ_BACK"
    APPLIED_PUSH = "APPLIED_PUSH"
    ORDER = "ORDER"


@dataclass(frozen=True, slots=True)
class Base:
    """`quantity` None: unknown. `at`: the mall's time of the write or reading it rests on, or of a write
    that may have been applied.

    `changed_until`: by then the newest change of the counter that we know of had happened. A write or
    reading that is recorded after such a change was learnt of must have begun later to be believed.
    """

    quantity: int | None = None
    at: MallTime | None = None
    source: MallStockSource = MallStockSource.NEVER_SEEN
    changed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CounterChange:
    """What an order did to a counter. `units` > 0: taken off; < 0: cancelled or cut, and put back or not."""

    units: int
    at: MallTime


def stamped(stamp: datetime, resolution: timedelta, clock_error: timedelta) -> MallTime:
    """A mall's time stamp t means [t, t + resolution), on a clock that may err either way."""
    return MallTime(stamp - clock_error, stamp + resolution + clock_error)


def unknown(base: Base) -> Base:
    """After a halt or a restore, or where nobody can tell what came first."""
    return replace(base, quantity=None)


def carries_a_change(base: Base, now: datetime) -> bool:
    """May a relative write rest on it? `now`: the mall's. Not on a file; nor on a write or reading of this moment, of
    which nobody could tell whether it came first."""
    if base.at is None or base.source is MallStockSource.FILE:
        return False
    return SURELY_LATER < now - base.at.latest <= RECENT


def unanswered(base: Base, written: MallTime, lands_by: datetime) -> Base:
    """A write that nobody answered: applied while it was `written`, or as late as `lands_by`, or never. What is
    written or read before then says nothing of what stands after it."""
    return replace(_noted(base, MallTime(written.earliest, lands_by)), quantity=None, at=written)


def after_write(base: Base, quantity: int, at: MallTime) -> Base:
    """An absolute write stands; `at` is from when it was sent to when the answer was here.

    A change learnt of meanwhile may have come before, within or after it: then nobody knows.
    """
    known = None if _changed_since(base, at.earliest) else quantity
    return replace(base, quantity=known, at=at, source=MallStockSource.APPLIED_PUSH)


def seen(base: Base, by: datetime) -> Base:
    """A write that was queued is there by then: what comes later comes after it."""
    if base.at is None or base.at.latest <= by:
        return base
    return replace(base, at=MallTime(base.at.earliest, max(base.at.earliest, by)))


def after_delta(base: Base, change: int, at: MallTime) -> Base:
    """A relative write moves the base and keeps its time: one more change of the counter, by us."""
    return replace(_moved(base, change, at), source=MallStockSource.APPLIED_PUSH)


def after_reading(base: Base, reading: StockReading) -> Base:
    """A counter that is not there, or not a number, is unknown."""
    if not reading.found or reading.unlimited or reading.quantity is None:
        return replace(unknown(base), source=MallStockSource.READ_BACK)
    return _after_seeing(base, reading.quantity, reading.at, MallStockSource.READ_BACK)


def after_file(base: Base, quantity: int, at: MallTime) -> Base:
    """A mall's item file says what was shown when it was made; `at` is wide where nobody knows when."""
    return _after_seeing(base, quantity, at, MallStockSource.FILE)


def after_cancel(base: Base, units: int, at: MallTime, restocks: bool | None) -> Base:
    """A cancel or cut of `units`. `restocks`: does the mall put them back on its own counter?"""
    if restocks is None:
        return _touched(base, at)
    return _moved(base, units if restocks else 0, at)


def after_change(base: Base, change: CounterChange, restocks: bool | None) -> Base:
    if change.units < 0:
        return after_cancel(base, -change.units, change.at, restocks)
    return _moved(base, -change.units, change.at)


def _after_seeing(base: Base, quantity: int, at: MallTime, source: MallStockSource) -> Base:
    """What is older than the base says nothing.

    What may be older, or may miss a change that we know of, is believed only where it says the same.
    """
    if _definitely_before(at, base):
        return base
    if not _in_doubt(base, at):
        return replace(base, quantity=quantity, at=at, source=source)
    return base if quantity == base.quantity else replace(unknown(base), source=source)


def _in_doubt(base: Base, at: MallTime) -> bool:
    overlaps = base.at is not None and not _definitely_after(at, base)
    return overlaps or _changed_since(base, at.earliest)


def _changed_since(base: Base, moment: datetime) -> bool:
    return base.changed_until is not None and base.changed_until >= moment


def _moved(base: Base, change: int, at: MallTime) -> Base:
    noted = _noted(base, at)
    if change == 0 or noted.quantity is None or _definitely_before(at, noted):
        return noted
    if not _definitely_after(at, noted):
        return unknown(noted)
    return _with_quantity(noted, noted.quantity + change, MallStockSource.ORDER)


def _touched(base: Base, at: MallTime) -> Base:
    """Something may have happened to the counter."""
    noted = _noted(base, at)
    return noted if _definitely_before(at, noted) else unknown(noted)


def _with_quantity(base: Base, quantity: int, source: MallStockSource) -> Base:
    """No counter sells below zero: where ours would, someone changed it and we do not know it."""
    if quantity < 0:
        return replace(unknown(base), source=source)
    return replace(base, quantity=quantity, source=source)


def _noted(base: Base, at: MallTime) -> Base:
    if base.changed_until is not None and base.changed_until >= at.latest:
        return base
    return replace(base, changed_until=at.latest)


def _definitely_before(at: MallTime, base: Base) -> bool:
    return base.at is not None and at.latest < base.at.earliest


def _definitely_after(at: MallTime, base: Base) -> bool:
    return base.at is not None and at.earliest > base.at.latest
