"""The total of a product, what may change it, and the number that a listing should show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.errors import DomainError

MOST_UNITS = 99_999_999
"""The largest number of units a person, a file or a token may enter."""

COUNTED_AT_MOST_AGO = timedelta(days=366)


class Cause(StrEnum):
    """Why a movement was written."""

    ORDER = "ORDER"
    CANCEL = "CANCEL"
    SET_BY_HAND = "SET_BY_HAND"
    ADJUSTED = "ADJUSTED"
    COUNTED = "COUNTED"
    IMPORT = "IMPORT"
    MALL_EDIT_TAKEN = "MALL_EDIT_TAKEN"


class AdjustReason(StrEnum):
    RECEIVED = "RECEIVED"
    RETURNED = "RETURNED"
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    FOUND = "FOUND"
    OTHER = "OTHER"


class CountBasis(StrEnum):
    """What a count counted: all that lies on the shelf, or what is free of orders up to the moment."""

    ON_SHELF = "ON_SHELF"
    FREE = "FREE"


@dataclass(frozen=True, slots=True)
class Counts:
    """When a product was counted. `at`: its last count or set; `free_at`: a FREE count that still holds."""

    at: datetime | None = None
    free_at: datetime | None = None

    def took_off(self, placed_at: datetime, *, linked_late: bool) -> bool:
        """Is an order placed then already out of the total? One on a listing that was linked after it came is, when a
        count came after it; any other only by a FREE count."""
        until = self.at if linked_late else self.free_at
        return until is not None and placed_at <= until


class QuantityRule(StrEnum):
    """The rules between a total and the number to show, in the order in which they act."""

    TOTAL = "TOTAL"
    SET_PARTS = "SET_PARTS"
    RESERVE = "RESERVE"
    FLOOR_ZERO = "FLOOR_ZERO"
    MINIMUM = "MINIMUM"
    MAXIMUM = "MAXIMUM"
    MALL_MAXIMUM = "MALL_MAXIMUM"


@dataclass(frozen=True, slots=True)
class Step:
    rule: QuantityRule
    before: int
    after: int


Steps = tuple[Step, ...]


class InsufficientStock(DomainError):
    code = "INSUFFICIENT_STOCK"

    def __init__(self, total: int, change: int) -> None:
        super().__init__(
            f"The total is {total}: {-change} cannot be taken off. "
            "Take fewer, or adjust it with allowNegative if so many are gone.",
            total=total,
            change=change,
        )


class CountedSince(DomainError):
    code = "COUNTED_SINCE"

    def __init__(self, counted_at: datetime, last: datetime) -> None:
        super().__init__(
            f"Its total was counted or set after that, at {last:%Y-%m-%d %H:%M} UTC: that stands. Count it anew.",
            counted_at=counted_at.isoformat(),
            last=last.isoformat(),
        )


class TotalChanged(DomainError):
    code = "TOTAL_CHANGED"

    def __init__(self, current: int, expected: int) -> None:
        super().__init__(
            f"The total is {current} by now, not {expected}. Look at it and set it again.",
            current=current,
            expected=expected,
        )


def effective_reserve(own: int | None, group: int | None) -> int:
    """A product's own reserve wins, 0 included; else its group's; else none."""
    if own is not None:
        return own
    return group if group is not None else 0


def sellable(total: int, reserve: int) -> int:
    """What malls may be offered; negative when more was sold or is reserved than there is."""
    return total - reserve


def quantity_to_show(sellable: int, minimum: int | None, maximum: int | None) -> int:
    """Never below 0; at or under the minimum nothing; at or over the maximum the maximum."""
    return _at_most(_above_minimum(_floor(sellable), minimum), maximum)


def explain(
    start: int,
    *,
    reserve: int,
    minimum: int | None,
    maximum: int | None,
    most: int,
    start_rule: QuantityRule = QuantityRule.TOTAL,
) -> Steps:
    """Every rule in order with its effect; the last `after` is `quantity_to_show`, as far as the mall counts.

    `start` is the total, or with `start_rule` SET_PARTS the sets that the parts allow. `most`: the mall's own maximum.
    """
    free = sellable(start, reserve)
    floored = _floor(free)
    kept = _above_minimum(floored, minimum)
    capped = _at_most(kept, maximum)
    return (
        Step(start_rule, start, start),
        Step(QuantityRule.RESERVE, start, free),
        Step(QuantityRule.FLOOR_ZERO, free, floored),
        Step(QuantityRule.MINIMUM, floored, kept),
        Step(QuantityRule.MAXIMUM, kept, capped),
        Step(QuantityRule.MALL_MAXIMUM, capped, _at_most(capped, most)),
    )


def check_limits(minimum: int | None, maximum: int | None) -> None:
    """Any minimum from 0 and maximum from 1 go together. Raises DomainError INVALID_VALUE."""
    if minimum is not None:
        check_units(minimum, "minimum")
    if maximum is None:
        return
    if maximum == 0:
        raise DomainError(
            "A maximum of 0 would never offer anything. Leave the maximum empty and switch the "
            "listing's sync off, or set the minimum so high that 0 is shown.",
            field=("maximum",),
            maximum=0,
        )
    check_units(maximum, "maximum")


def check_units(units: int, field: str) -> None:
    """Raises DomainError INVALID_VALUE unless 0 <= units <= MOST_UNITS."""
    if not 0 <= units <= MOST_UNITS:
        raise DomainError(
            f"{units} is not possible here: enter a number from 0 to {MOST_UNITS}.",
            field=(field,),
            value=units,
            least=0,
            most=MOST_UNITS,
        )


def adjusted(total: int, change: int, *, allow_negative: bool = False) -> int:
    """The total after a person's change, refused below zero unless they say so.

    What brings an oversold total nearer to zero goes. Raises InsufficientStock, INVALID_VALUE.
    """
    after = total + change
    if change < 0 and after < 0 and not allow_negative:
        raise InsufficientStock(total, change)
    check_units(abs(after), "total")
    return after


def set_to(total: int, wanted: int, expected: int | None, *, allow_negative: bool = False) -> int:
    """The total as a person sets it; `expected` is the number they saw (None: they did not say).

    Raises TotalChanged, InsufficientStock, INVALID_VALUE.
    """
    if expected is not None and expected != total:
        raise TotalChanged(total, expected)
    return adjusted(total, wanted - total, allow_negative=allow_negative)


@dataclass(frozen=True, slots=True)
class CountSum:
    """How a count makes a total: `counted` − `not_shipped` + `moved_since`, which may be negative.

    `not_shipped`: units that lie there but are sold; 0 of a FREE count, which leaves them out. `moved_since`: the sum of
    the movements effective after the count, which stay on top.
    """

    counted: int
    not_shipped: int
    moved_since: int

    @property
    def total(self) -> int:
        return self.counted - self.not_shipped + self.moved_since


def counted(units: int, basis: CountBasis, *, not_shipped: int, moved_since: int) -> CountSum:
    """What a count of `units` makes, as far from zero as an adjustment may at most. Raises DomainError INVALID_VALUE."""
    check_units(units, "counted")
    made = CountSum(units, not_shipped if basis is CountBasis.ON_SHELF else 0, moved_since)
    check_units(abs(made.total), "total")
    return made


def check_counted_at(counted_at: datetime, now: datetime) -> None:
    """Raises DomainError INVALID_VALUE for a count that is still to come, or older than the ledger can be summed up."""
    if not now - COUNTED_AT_MOST_AGO <= counted_at <= now:
        raise DomainError(
            f"Enter when it was counted: at most {COUNTED_AT_MOST_AGO.days} days ago, and not in the future.",
            field=("counted_at",),
            days=COUNTED_AT_MOST_AGO.days,
        )


def _floor(units: int) -> int:
    return max(0, units)


def _above_minimum(units: int, minimum: int | None) -> int:
    return 0 if minimum is not None and units <= minimum else units


def _at_most(units: int, maximum: int | None) -> int:
    return units if maximum is None else min(units, maximum)
