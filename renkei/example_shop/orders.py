"""The shop's orders and cancellations, in time order, with an account of every row that became neither.

* Codes that differ by letter case only are one product (so they are in the shop, not in the file): upper case.
* Postage, charges, vouchers and the like (`POST`, `M`, `gift_0001_10`, …) are no products: counted, left out.
* Stock adjustments stand among the orders: negative lines without a `C`, and invoices at price 0 without a customer
  ("found", "check", …). They are no orders: counted, left out.
* Goods at price 0 within an order, or to a named customer, did leave the shelf: they stay.
* A `C` invoice names no order. Its units are given back to the newest earlier order of the same customer and item
  that has some left, then to the one before; what is left over was sold before the slice begins, or to nobody
  known: counted, left out. One `C` invoice may so cancel parts of several orders, and be several values.
* Absurd quantities (80,995 sold at 09:15, cancelled at 09:27) are orders like any other.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from renkei.example_shop.rows import RetailRow

ITEM_CODE = re.compile(r"[0-9]{5}[A-Z]{0,2}")


@dataclass(frozen=True, slots=True)
class RetailLine:
    code: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RetailOrder:
    """An order, or with `cancels` (an earlier order's number) units of that order given back. Quantities are > 0.

    Several lines may name one product, as they do in the file.
    """

    number: str
    placed_at: datetime
    lines: tuple[RetailLine, ...]
    cancels: str | None = None

    @property
    def original(self) -> str:
        """The order this is about."""
        return self.cancels or self.number


@dataclass(slots=True)
class Account:
    """Where the file's rows went. `rows` = sale + cancel + adjustment + non-item lines."""

    rows: int = 0
    sale_lines: int = 0
    cancel_lines: int = 0
    adjustment_lines: int = 0
    adjusted_up: int = 0
    adjusted_down: int = 0
    non_items: Counter[str] = field(default_factory=Counter)
    folded_lines: int = 0
    units_sold: int = 0
    units_given_back: int = 0
    unmatched_cancel_lines: int = 0
    unmatched_cancel_units: int = 0
    anonymous_cancel_lines: int = 0


@dataclass(frozen=True, slots=True)
class OrderStream:
    """`names`: each sold code's most frequent name, blanks around it taken off."""

    orders: tuple[RetailOrder, ...]
    names: Mapping[str, str]
    account: Account


def read_orders(rows: Iterable[RetailRow]) -> OrderStream:
    reading = _Reading()
    for invoice in _invoices(rows):
        reading.take(invoice)
    names = {code: _most_frequent(counted) for code, counted in sorted(reading.names.items())}
    return OrderStream(tuple(reading.orders), names, reading.account)


def shop_of(order: RetailOrder, shops: int) -> int:
    """Which of `shops` malls the order is said to have come from: a stable hash of its number, and of the cancelled
    order's for a cancellation. The file has no malls; this assignment is ours."""
    return zlib.crc32(order.original.encode()) % shops


def busiest(orders: Sequence[RetailOrder], days: int) -> tuple[RetailOrder, ...]:
    """The orders and cancellations of the `days` calendar days on end with the most lines."""
    lines: Counter[date] = Counter()
    for order in orders:
        lines[order.placed_at.date()] += len(order.lines)
    first = max(sorted(lines), key=lambda day: _lines_from(day, days, lines), default=None)
    if first is None:
        return ()
    end = first + timedelta(days=days)
    return tuple(order for order in orders if first <= order.placed_at.date() < end)


def _lines_from(first: date, days: int, lines: Mapping[date, int]) -> int:
    return sum(lines.get(first + timedelta(days=ahead), 0) for ahead in range(days))


def _invoices(rows: Iterable[RetailRow]) -> list[list[RetailRow]]:
    """Rows by invoice, in the order of their first rows."""
    invoices: defaultdict[str, list[RetailRow]] = defaultdict(list)
    for row in rows:
        invoices[row.invoice].append(row)
    return list(invoices.values())


def _most_frequent(names: Counter[str]) -> str:
    return min(names, key=lambda name: (-names[name], name))


class _Reading:
    """Invoices taken in one after the other."""

    def __init__(self) -> None:
        self.account = Account()
        self.orders: list[RetailOrder] = []
        self.names: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._left: defaultdict[tuple[str, str], list[_Left]] = defaultdict(list)

    def take(self, invoice: Sequence[RetailRow]) -> None:
        self.account.rows += len(invoice)
        rows = [row for row in invoice if self._is_item(row)]
        if invoice[0].invoice.startswith("C"):
            self._cancel(rows)
        else:
            free = all(row.price == 0 and not row.customer for row in invoice)
            self._sell([row for row in rows if not self._is_adjustment(row, free)])

    def _is_item(self, row: RetailRow) -> bool:
        code = row.code.upper()
        if not ITEM_CODE.fullmatch(code):
            self.account.non_items[row.code] += 1
            return False
        self.account.folded_lines += code != row.code
        return True

    def _is_adjustment(self, row: RetailRow, free: bool) -> bool:
        if row.quantity > 0 and not free:
            return False
        self.account.adjustment_lines += 1
        self.account.adjusted_up += max(row.quantity, 0)
        self.account.adjusted_down += max(-row.quantity, 0)
        return True

    def _sell(self, rows: Sequence[RetailRow]) -> None:
        lines = tuple(RetailLine(row.code.upper(), row.quantity) for row in rows)
        if not lines:
            return
        self.orders.append(RetailOrder(rows[0].invoice, rows[0].at, lines))
        self.account.sale_lines += len(lines)
        self.account.units_sold += sum(line.quantity for line in lines)
        for row, line in zip(rows, lines, strict=True):
            self._remember(row, line)

    def _remember(self, row: RetailRow, line: RetailLine) -> None:
        self.names[line.code][row.name.strip()] += 1
        if row.customer:
            self._left[row.customer, line.code].append(_Left(row.invoice, line.quantity))

    def _cancel(self, rows: Sequence[RetailRow]) -> None:
        given_back: defaultdict[str, list[RetailLine]] = defaultdict(list)
        for row in rows:
            self._give_back(row, given_back)
        self.orders += [
            RetailOrder(rows[0].invoice, rows[0].at, tuple(lines), cancels=number)
            for number, lines in given_back.items()
        ]

    def _give_back(self, row: RetailRow, given_back: Mapping[str, list[RetailLine]]) -> None:
        code, units = row.code.upper(), -row.quantity
        for left in reversed(self._left.get((row.customer, code), ())):
            if taken := left.take(units):
                given_back[left.order].append(RetailLine(code, taken))
                units -= taken
        self._count_cancel(row, unmatched=units)

    def _count_cancel(self, row: RetailRow, unmatched: int) -> None:
        self.account.cancel_lines += 1
        self.account.anonymous_cancel_lines += not row.customer
        self.account.units_given_back += -row.quantity - unmatched
        self.account.unmatched_cancel_lines += unmatched > 0
        self.account.unmatched_cancel_units += unmatched


@dataclass(slots=True)
class _Left:
    """Units of one line of an order that were not cancelled yet."""

    order: str
    units: int

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.units)
        self.units -= taken
        return taken
