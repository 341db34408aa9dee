"""超過表示: for how long a mall showed more of a product than was left, and could have sold what nobody had.

A listing is exposed while its mall's counter, as far as we know it, reads more than the units that are left: the
product's total, of a set what its managed parts' totals make up. What a merchant keeps back by a reserve, a minimum or a
maximum is left all the same: showing that is no exposure, however it differs from the quantity to show. Nor is what the
merchant has switched off, or what is not pushed by rule: nobody promised that it would be right.

It begins when the unit was gone: with an order at the mall's own time of it, with all else when it was recorded here;
never before the counter read so. It ends when the counter is known to read no more than is left. It ends, too, when
nobody knows any more what the counter reads: what it may have shown after that is not counted.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from domain.model.base import Base
from domain.model.diff import NotPushed
from domain.model.sets import PartStock, SetPart

KEPT_RIGHT = frozenset({NotPushed.SHOP_HALTED, NotPushed.CHANGED_AT_MALL})
"""With these alone a number is still ours to keep right: it waits for an error, or for a decision."""


@dataclass(frozen=True, slots=True)
class Fall:
    """An order took units of a product: `left` is its total then, `at` the mall's time."""

    left: int
    at: datetime


Falls = Mapping[UUID, Sequence[Fall]]
"""By product, in the order in which they were sold."""

NONE: Falls = MappingProxyType({})


def falls(total: int, sold: Iterable[tuple[datetime, int]]) -> list[Fall]:
    """What was left after each of these, whatever the order in which they were told. `sold`: (when, change) of what
    brought the product down from `total`."""
    found = []
    for at, change in sorted(sold):
        total += change
        found.append(Fall(total, at))
    return found


def sets_left(parts: Sequence[SetPart], stock: Mapping[UUID, PartStock]) -> int | None:
    """How many sets the parts make up, whatever is kept back of them. None: nothing limits."""
    managed = (part for part in parts if stock[part.product_id].managed)
    return min((stock[part.product_id].total // part.count for part in managed), default=None)


def since(
    before: datetime | None,
    base: Base,
    left: int | None,
    not_pushed: Collection[str],
    *,
    sold: Iterable[tuple[Sequence[Fall], int]] = (),
    now: datetime,
) -> datetime | None:
    """Since when the listing is exposed; None: it is not. `before`: since when it was.

    `left`: None where nobody can say. `sold`: what the orders taken in just now took of the product or of its parts,
    each with how many the listing takes of it.
    """
    if not is_exposed(base, left, not_pushed):
        return None
    return before or _began(base, sold, now)


def is_exposed(base: Base, left: int | None, not_pushed: Collection[str]) -> bool:
    if base.quantity is None or left is None:
        return False
    return base.quantity > max(left, 0) and KEPT_RIGHT.issuperset(not_pushed)


def _began(base: Base, sold: Iterable[tuple[Sequence[Fall], int]], now: datetime) -> datetime:
    firsts = (_first_below(those, count, base.quantity or 0) for those, count in sold)
    gone_at = min((first for first in firsts if first is not None), default=now)
    read_so = base.at.earliest if base.at else gone_at
    return min(max(gone_at, read_so), now)


def _first_below(those: Sequence[Fall], count: int, shown: int) -> datetime | None:
    return next((each.at for each in those if each.left // count < shown), None)
