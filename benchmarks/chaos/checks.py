"""What must be so when all is over, by what the malls and the API's answers say; our own database is only held against it.

* Every mall's counter is the number that follows from the stock at the start, the changes that the API said are done, and
  what the orders in the malls' own books hold.
* Every total is that number too, and its ledger sums to it; every order line was applied once.
* Nobody wrote to a shop between its halt and its resumption.
* Nothing waits, differs or is unread; every shop runs; no error is open.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from benchmarks.chaos.merchant import Merchant
from benchmarks.chaos.wares import Wares
from benchmarks.market import MallShop
from domain.model.shops import ShopState
from domain.store.audit import AuditedError, Books, Unsettled
from domain.store.shops import Shop
from renkei.demo.audit import audit
from renkei.demo.books import MallBooks
from renkei.demo.stalls import ref_at

CALL_UNDER_WAY = timedelta(seconds=2)
"""A call that had begun when its shop was halted lands within this."""


@dataclass(frozen=True, slots=True)
class Change:
    """A shop's state, and since when."""

    shop_id: UUID
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the checks look at, as of one moment."""

    malls: Sequence[MallBooks]
    ours: Books
    unsettled: Unsettled
    shops: Sequence[Shop]
    errors: Sequence[AuditedError]
    changes: Sequence[Change]


Findings = Iterator[str]


def amiss(found: Found, shops: Sequence[MallShop], wares: Wares, merchant: Merchant) -> list[str]:
    """One sentence for everything that is not as it must be."""
    totals = true_totals(found.malls, shops, wares, merchant)
    return [
        *_counters(found.malls, shops, to_show(totals, wares)),
        *_totals(found.ours, totals),
        *(finding.text for finding in audit(found.malls, found.ours).findings),
        *_written_while_halted(found),
        *_moving(found),
    ]


def looked_at(found: Found) -> str:
    """How much the checks had to look at."""
    orders = [order for books in found.malls for order in books.orders.values()]
    counts = {
        "counters": sum(len(books.counters) for books in found.malls),
        "ledgers": len(found.ours.products),
        "orders": len(orders),
        "order lines": sum(order.lines for order in orders),
        "writes at the malls": sum(
            len(times) for books in found.malls for times in books.written_at.values()
        ),
        "halts": sum(len(list(halts(found.changes, books.shop_id))) for books in found.malls),
        "errors that healed": len(found.errors),
    }
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def true_totals(
    malls: Sequence[MallBooks], shops: Sequence[MallShop], wares: Wares, merchant: Merchant
) -> dict[str, int]:
    """By code, of what has a stock of its own."""
    parts = {each.code: each.parts or {each.code: 1} for each in wares.goods}
    totals = Counter({each.code: each.starting_stock for each in wares.goods if not each.parts})
    totals.update(merchant.changes)
    totals.update({code: total - totals[code] for code, total in merchant.totals.items()})
    for shop, books in zip(shops, malls, strict=True):
        codes = {ref_at(shop.stall.kind, each.code): each.code for each in wares.goods}
        for order in books.orders.values():
            for ref, units in order.units.items():
                for code, count in parts[codes[ref]].items():
                    totals[code] -= units * count
    return dict(totals)


def to_show(totals: Mapping[str, int], wares: Wares) -> dict[str, int]:
    """By code: never below none; of a set what its scarcest part allows."""
    shown = {code: max(0, total) for code, total in totals.items()}
    for each in wares.goods:
        if each.parts:
            shown[each.code] = min(shown[part] // count for part, count in each.parts.items())
    return shown


def _counters(
    malls: Sequence[MallBooks], shops: Sequence[MallShop], shown: Mapping[str, int]
) -> Findings:
    for shop, books in zip(shops, malls, strict=True):
        for code, wanted in shown.items():
            counter = books.counters.get(ref_at(shop.stall.kind, code))
            if counter != wanted:
                yield f"{shop.stall.place.seller} shows {counter} of {code}, and has {wanted}."


def _totals(ours: Books, totals: Mapping[str, int]) -> Findings:
    for product in ours.products:
        wanted = totals.get(product.code, product.total)
        if product.total != wanted:
            yield f"{product.code} has a total of {product.total}; what happened makes {wanted}."


def _written_while_halted(found: Found) -> Findings:
    for books in found.malls:
        writes = sorted(at for times in books.written_at.values() for at in times)
        for begin, end in halts(found.changes, books.shop_id):
            first = bisect_right(writes, begin + CALL_UNDER_WAY)
            if first < len(writes) and writes[first] < end:
                yield f"Written to at {writes[first]:%H:%M:%S.%f}, halted from {begin:%H:%M:%S.%f} to {end:%H:%M:%S.%f}."


def halts(changes: Sequence[Change], shop_id: UUID) -> Iterator[tuple[datetime, datetime]]:
    """From a halt to the moment when the shop may be written to again."""
    since: datetime | None = None
    for change in changes:
        if change.shop_id != shop_id:
            continue
        if change.state == ShopState.HALTED:
            since = since or change.at
        elif change.state != ShopState.PROBING and since is not None:
            yield since, change.at
            since = None


def _moving(found: Found) -> Findings:
    left = found.unsettled
    if left.waiting or left.unread or left.differences:
        yield f"{left.waiting} wait, {left.unread} are unread, {left.differences} differ."
    for shop in found.shops:
        if shop.state != ShopState.RUNNING:
            yield f"{shop.name} is {shop.state}."
    for error in found.errors:
        if error.resolved_at is None:
            yield f"An error is open: level {error.level} {error.kind}, seen {error.count} times."
