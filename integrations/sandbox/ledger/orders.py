"""Purchases, cuts and the order list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.ledger.rows import as_json, as_order, as_seconds, line_row
from integrations.sandbox.ledger.splits import child_of, parent_of, with_more
from integrations.sandbox.ledger.stock import Stock
from integrations.sandbox.ledger.values import (
    Item,
    ItemKey,
    Order,
    OrderLine,
    SaleRules,
    Shop,
    SoldOut,
    Unknown,
)

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


class Ledger(Stock):
    """The malls' own books; see the package."""

    def place(
        self,
        shop: Shop,
        lines: Sequence[tuple[ItemKey, int]],
        rules: SaleRules,
        *,
        number: Callable[[int], str],
        status: str,
        visible_at: datetime,
        details: Mapping[str, Any],
    ) -> Order:
        """A purchase: lowers the counters at once, all lines or none. Raises SoldOut, Unknown.

        `number` makes the order number of a running number.
        """
        with self.transaction():
            self._settle()
            taken = tuple(self._take(shop, key, n, rules) for key, n in lines)
            now, sequence = self.clock.now(), self._next_sequence(shop)
            order = Order(
                number(sequence), sequence, now, visible_at, now, status, True, taken, dict(details)
            )
            self.save_order(shop, order)
        return order

    def release(
        self,
        shop: Shop,
        order: Order,
        key: ItemKey | None,
        units: int,
        *,
        restock: Callable[[Item], bool],
    ) -> Order:
        """Cuts `units` of each line of this item (all items when `key` is None), giving back what `restock` allows."""
        with self.transaction():
            self._settle()
            lines = tuple(
                self._cut(shop, line, min(units, line.quantity), restock)
                if key is None or line.key == key
                else line
                for line in order.lines
            )
            order = replace(order, lines=lines, updated_at=self.clock.now())
            self.save_order(shop, order)
        return order

    def add(self, shop: Shop, order: Order, key: ItemKey, units: int, rules: SaleRules) -> Order:
        """Units more of an item, or an item more: the counter falls as by a purchase. Raises SoldOut, Unknown."""
        with self.transaction():
            self._settle()
            order = with_more(order, self._take(shop, key, units, rules), self.clock.now())
            self.save_order(shop, order)
        return order

    def split(
        self, shop: Shop, order: Order, key: ItemKey, units: int, number: Callable[[int], str]
    ) -> tuple[Order, Order]:
        """Moves units of one line into an order of its own, listed from now on. No counter moves. Parent and child."""
        with self.transaction():
            sequence = self._next_sequence(shop)
            child = child_of(order, key, units, number(sequence), sequence, self.clock.now())
            parent = parent_of(order, key, child)
            for each in (parent, child):
                self.save_order(shop, each)
        return parent, child

    def save_order(self, shop: Shop, order: Order) -> None:
        lines = as_json([line_row(line) for line in order.lines])
        times = map(as_seconds, (order.placed_at, order.visible_at, order.updated_at))
        books = (order.status, order.open, lines, as_json(order.details))
        self._db.execute(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*shop.key, order.number, order.sequence, *times, *books),
        )

    def order(self, shop: Shop, number: str) -> Order:
        row = self._db.execute(
            "SELECT * FROM orders WHERE mall = ? AND seller = ? AND number = ?", (*shop.key, number)
        ).fetchone()
        if row is None:
            raise Unknown(f"There is no order {number!r}.")
        return as_order(row)

    def listed(self, shop: Shop, number: str) -> Order | None:
        """The order by this number, if the mall's list shows it by now."""
        try:
            order = self.order(shop, number)
        except Unknown:
            return None
        return order if order.visible_at <= self.clock.now() else None

    def orders(
        self,
        shop: Shop,
        *,
        placed_since: datetime | None = None,
        placed_until: datetime | None = None,
        hidden: bool = False,
    ) -> list[Order]:
        """The shop's orders placed in [since, until], oldest first; those not yet in the mall's list only when `hidden`."""
        bounds = (
            placed_since or _FIRST,
            placed_until or _LAST,
            _LAST if hidden else self.clock.now(),
        )
        rows = self._db.execute(
            "SELECT * FROM orders WHERE mall = ? AND seller = ? AND placed_at BETWEEN ? AND ? "
            "AND visible_at <= ? ORDER BY placed_at, sequence",
            (*shop.key, *map(as_seconds, bounds)),
        )
        return [as_order(row) for row in rows]

    def _take(self, shop: Shop, key: ItemKey, wanted: int, rules: SaleRules) -> OrderLine:
        item = self.item(shop, key)
        if item is None:
            raise Unknown(f"There is no item {':'.join(key)!r}.")
        lowered = wanted if rules.lowers(item) else 0
        enough = lowered <= item.quantity or rules.oversells(item)
        if not (enough and rules.sells(item)):
            raise SoldOut(key, item.quantity, wanted)
        self._move(shop, key, -lowered)
        return OrderLine(*key, item.name, wanted, wanted, lowered)

    def _cut(
        self, shop: Shop, line: OrderLine, units: int, restock: Callable[[Item], bool]
    ) -> OrderLine:
        item = self.item(shop, line.key)
        back = min(units, line.lowered) if item is not None and restock(item) else 0
        self._move(shop, line.key, back)
        return replace(line, quantity=line.quantity - units, lowered=line.lowered - back)

    def _next_sequence(self, shop: Shop) -> int:
        row = self._db.execute(
            "SELECT coalesce(max(sequence), 0) + 1 AS next FROM orders WHERE mall = ? AND seller = ?",
            shop.key,
        ).fetchone()
        return int(row["next"])
