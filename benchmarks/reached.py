"""When each sale stood on another mall's counter, by that mall's own book, and what took so long."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from benchmarks.market import Market
from domain.model.malls import ItemRef
from domain.store import audit as audit_rows
from renkei.demo.audit import Finding, audit
from renkei.demo.latency import OrderAt, written_after
from renkei.demo.seeding import now

SINCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reached:
    """A sale, and one listing of another shop. `written_at` None: the mall's book does not have it."""

    order: OrderAt
    visible_at: datetime
    recorded_at: datetime
    sent_at: datetime
    written_at: datetime | None
    shop_id: UUID
    ref: ItemRef
    to_zero: bool


@dataclass(frozen=True, slots=True)
class Order:
    """The last counter that one order changed: seconds from its mall's list to that counter, and the parts of them."""

    order: OrderAt
    seconds: float
    fetched: float
    waited: float
    called: float


async def reached(
    here: Market, visible: Mapping[OrderAt, datetime]
) -> tuple[list[Reached], Sequence[Finding]]:
    """Of these orders; and whatever does not balance at the malls in the end."""
    books = await here.books()
    by_shop = {each.shop_id: each for each in books}
    async with here.db.transaction(here.account_id) as tx:
        reaches = await audit_rows.reaches(tx, since=SINCE, now=now())
        ours = await audit_rows.books(tx)
    found = [
        Reached(
            (each.sold_at_shop, each.order_number),
            visible[each.sold_at_shop, each.order_number],
            each.recorded_at,
            each.sent_at,
            written_after(by_shop[each.shop_id], each),
            each.shop_id,
            each.ref,
            each.left <= 0,
        )
        for each in reaches
        if (each.sold_at_shop, each.order_number) in visible
    ]
    return found, audit(books, ours).findings


def orders(found: Iterable[Reached]) -> list[Order]:
    """Each by its last counter. A counter that was never written is no time: the findings name it."""
    last: dict[OrderAt, tuple[datetime, Reached]] = {}
    for each in found:
        if each.written_at is not None:
            known = last.get(each.order)
            if known is None or known[0] < each.written_at:
                last[each.order] = (each.written_at, each)
    return [_order(at, each) for at, each in last.values()]


def _order(written_at: datetime, each: Reached) -> Order:
    return Order(
        each.order,
        _seconds(each.visible_at, written_at),
        _seconds(each.visible_at, each.recorded_at),
        _seconds(each.recorded_at, each.sent_at),
        _seconds(each.sent_at, written_at),
    )


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


def percentile(found: Sequence[Order], percent: int, of: Callable[[Order], float]) -> float:
    """The smallest that `percent` of them do not exceed; 0 of none."""
    values = sorted(map(of, found))
    return values[max(0, -(-len(values) * percent // 100) - 1)] if values else 0.0
