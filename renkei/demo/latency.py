"""How long an order takes from the mall's order list to the last of the other malls' counters."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.store.audit import Reach
from renkei.demo.books import MallBooks

OrderAt = tuple[UUID, str]
"""Shop and order number."""


@dataclass(frozen=True, slots=True)
class Lasted:
    """One order: when its mall's list showed it, and when the last number it led to stood."""

    seen_at: datetime
    reached_at: datetime

    @property
    def milliseconds(self) -> int:
        return max(0, round((self.reached_at - self.seen_at).total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Spell:
    """A time during which something was made to go wrong."""

    since: datetime
    until: datetime

    def touches(self, order: Lasted) -> bool:
        return self.since <= order.reached_at and order.seen_at <= self.until


def by_mall_logs(malls: Sequence[MallBooks], reaches: Iterable[Reach]) -> list[Lasted]:
    """By the malls' own books: when the order was listed, when each counter was written. What never was, is left out:
    the audit finds it as a difference."""
    books = {mall.shop_id: mall for mall in malls}
    visible = {
        (mall.shop_id, number): order.visible_at
        for mall in malls
        for number, order in mall.orders.items()
    }
    written = ((reach, written_after(books[reach.shop_id], reach)) for reach in reaches)
    return _lasted(visible, ((_order_of(reach), at) for reach, at in written))


def by_answers(visible: Mapping[OrderAt, datetime], reaches: Iterable[Reach]) -> list[Lasted]:
    """By what the malls answered us, for looking on while it runs."""
    return _lasted(visible, ((_order_of(reach), reach.answered_at) for reach in reaches))


def percentile(orders: Iterable[Lasted], percent: int) -> int | None:
    """Of the orders' milliseconds, the smallest that `percent` of them do not exceed; None of none."""
    times = sorted(order.milliseconds for order in orders)
    return times[max(0, -(-len(times) * percent // 100) - 1)] if times else None


def calm(orders: Iterable[Lasted], spells: Sequence[Spell]) -> list[Lasted]:
    """Those that met none of these spells."""
    return [order for order in orders if not any(spell.touches(order) for spell in spells)]


def _lasted(
    visible: Mapping[OrderAt, datetime], ends: Iterable[tuple[OrderAt, datetime | None]]
) -> list[Lasted]:
    last: dict[OrderAt, datetime] = {}
    for order, at in ends:
        if at is not None and order in visible:
            last[order] = max(at, last.get(order, at))
    return [Lasted(visible[order], at) for order, at in last.items()]


def _order_of(reach: Reach) -> OrderAt:
    return (reach.sold_at_shop, reach.order_number)


def written_after(mall: MallBooks, reach: Reach) -> datetime | None:
    """When the mall's counter was set to what was sent; None where it never was."""
    times = mall.written_at.get(reach.ref, ())
    place = bisect_left(times, reach.sent_at)
    return times[place] if place < len(times) else None
