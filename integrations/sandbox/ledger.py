"""The malls' own books: shops, items with their counters, orders, and what was written, in one SQLite file.

Every change is on disk before it is answered, so a killed sandbox comes back with the malls as they were.
Two numbers of an item differ for a while after a write: `quantity`, the counter that purchases lower, and the
*shown* number, which reads and storefronts show and which follows a write after the mall's display delay.
A write that the mall applies later (`apply_at`) touches the counter only then. Used by one event loop only.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from integrations.sandbox.clock import Clock

WRITES_KEPT = 100_000
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
SCHEMA = """
CREATE TABLE IF NOT EXISTS shops (mall TEXT, seller TEXT, credentials TEXT, settings TEXT,
    PRIMARY KEY (mall, seller));
CREATE TABLE IF NOT EXISTS items (mall TEXT, seller TEXT, item_code TEXT, variant_code TEXT, name TEXT,
    quantity INTEGER, attributes TEXT, created_at REAL, updated_at REAL,
    PRIMARY KEY (mall, seller, item_code, variant_code));
CREATE TABLE IF NOT EXISTS unshown (id INTEGER PRIMARY KEY, mall TEXT, seller TEXT, item_code TEXT,
    variant_code TEXT, delta INTEGER, due_at REAL);
CREATE INDEX IF NOT EXISTS unshown_due ON unshown (due_at);
CREATE INDEX IF NOT EXISTS unshown_item ON unshown (mall, seller, item_code, variant_code);
CREATE TABLE IF NOT EXISTS unapplied (id INTEGER PRIMARY KEY, mall TEXT, seller TEXT, body TEXT, due_at REAL);
CREATE INDEX IF NOT EXISTS unapplied_due ON unapplied (due_at);
CREATE TABLE IF NOT EXISTS orders (mall TEXT, seller TEXT, number TEXT, sequence INTEGER, placed_at REAL,
    visible_at REAL, updated_at REAL, status TEXT, open INTEGER, lines TEXT, details TEXT,
    PRIMARY KEY (mall, seller, number));
CREATE INDEX IF NOT EXISTS orders_placed ON orders (mall, seller, placed_at);
CREATE TABLE IF NOT EXISTS writes (id INTEGER PRIMARY KEY, mall TEXT, seller TEXT, at REAL, source TEXT,
    item_code TEXT, variant_code TEXT, mode TEXT, sent INTEGER, quantity INTEGER);
CREATE TABLE IF NOT EXISTS records (mall TEXT, seller TEXT, kind TEXT, key TEXT, body TEXT,
    PRIMARY KEY (mall, kind, key));
"""


@dataclass(frozen=True, slots=True)
class Shop:
    mall: str
    seller: str
    credentials: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return (self.mall, self.seller)


ItemKey = tuple[str, str]
"""Item code and variant code ("" where there is none), as the mall folds them."""


@dataclass(frozen=True, slots=True)
class Item:
    """`quantity` is the mall's counter, `shown` what it shows."""

    item_code: str
    variant_code: str
    name: str
    quantity: int
    shown: int
    attributes: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class NewItem:
    item_code: str
    variant_code: str = ""
    name: str = ""
    quantity: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class StockWrite:
    """A number sent to the mall. `quantity` None leaves the counter. `attributes` are merged, None removes a key."""

    key: ItemKey
    quantity: int | None
    relative: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """`ordered` is what was bought, `quantity` what is left of it after cuts. `lowered`: units taken off the counter."""

    item_code: str
    variant_code: str
    name: str
    ordered: int
    quantity: int
    lowered: int

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class Order:
    """`status` is in the mall's own words; `open` turns false when it is cancelled."""

    number: str
    sequence: int
    placed_at: datetime
    visible_at: datetime
    updated_at: datetime
    status: str
    open: bool
    lines: tuple[OrderLine, ...]
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """One accepted number, as it was applied: `quantity` is the counter after it."""

    at: datetime
    source: str
    item_code: str
    variant_code: str
    mode: str
    sent: int | None
    quantity: int


class SoldOut(Exception):
    """The counter of this item is too low for the purchase; nothing was taken."""

    def __init__(self, key: ItemKey, quantity: int, wanted: int) -> None:
        super().__init__(f"{':'.join(key)} has {quantity} left, {wanted} wanted")


class Unknown(Exception):
    """No such shop, item or order."""


class SaleRules(Protocol):
    """What a mall does when an item is bought."""

    def sells(self, item: Item) -> bool:
        """Whether it sells the item at all."""

    def lowers(self, item: Item) -> bool:
        """Whether a sale lowers the counter (not where stock is unlimited)."""

    def oversells(self, item: Item) -> bool:
        """Whether the counter may go below zero."""


class Ledger:
    """See the module. Reads and writes first apply what has become due."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.clock = clock
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; joins the transaction that is already open."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # shops

    def save_shop(self, shop: Shop) -> Shop:
        self._db.execute(
            "INSERT OR REPLACE INTO shops VALUES (?, ?, ?, ?)",
            (*shop.key, _json(shop.credentials), _json(shop.settings)),
        )
        return shop

    def shop(self, mall: str, seller: str) -> Shop:
        row = self._db.execute(
            "SELECT * FROM shops WHERE mall = ? AND seller = ?", (mall, seller)
        ).fetchone()
        if row is None:
            raise Unknown(f"There is no shop {seller!r} at {mall!r}.")
        return _shop(row)

    def shops(self, mall: str | None = None) -> list[Shop]:
        rows = self._db.execute(
            "SELECT * FROM shops WHERE ? IS NULL OR mall = ? ORDER BY mall, seller", (mall, mall)
        )
        return [_shop(row) for row in rows]

    def shop_with(self, mall: str, **credentials: str) -> Shop | None:
        """The mall's shop whose credentials hold exactly these values."""
        for shop in self.shops(mall):
            if all(shop.credentials.get(name) == value for name, value in credentials.items()):
                return shop
        return None

    # items

    def put_items(self, shop: Shop, items: Iterable[NewItem]) -> None:
        """Sets items as the merchant would on the mall's screen: shown at once; what was pending is forgotten."""
        now = _seconds(self.clock.now())
        with self.transaction():
            for item in items:
                self._forget_pending(shop, item.key)
                self._db.execute(
                    "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "name = excluded.name, quantity = excluded.quantity, "
                    "attributes = excluded.attributes, updated_at = excluded.updated_at",
                    (
                        *shop.key,
                        *item.key,
                        item.name,
                        item.quantity,
                        _json(item.attributes),
                        now,
                        now,
                    ),
                )

    def remove_item(self, shop: Shop, key: ItemKey) -> bool:
        """Answers whether there was such an item."""
        with self.transaction():
            self._forget_pending(shop, key)
            return bool(
                self._db.execute(
                    "DELETE FROM items WHERE mall = ? AND seller = ? AND item_code = ? "
                    "AND variant_code = ?",
                    (*shop.key, *key),
                ).rowcount
            )

    def item(self, shop: Shop, key: ItemKey) -> Item | None:
        return self.found(shop, [key]).get(key)

    def found(self, shop: Shop, keys: Iterable[ItemKey]) -> dict[ItemKey, Item]:
        """Those of these items that there are."""
        self._settle()
        rows = (self._db.execute(_ITEM, (*shop.key, *key)).fetchone() for key in keys)
        items = (_item(row) for row in rows if row is not None)
        return {item.key: item for item in items}

    def items(self, shop: Shop) -> list[Item]:
        """All items of the shop by code."""
        self._settle()
        rows = self._db.execute(_ITEMS, shop.key)
        return [_item(row) for row in rows]

    # stock

    def write(
        self,
        shop: Shop,
        writes: Sequence[StockWrite],
        *,
        source: str,
        show_at: datetime | None = None,
        apply_at: datetime | None = None,
    ) -> None:
        """Takes numbers sent to the mall: applied now, or at `apply_at`; shown when applied, or from `show_at` on.

        A code that is not there becomes an item with the attribute `ghost`: what a mall makes of it is its module's
        to say (or to refuse before calling this).
        """
        with self.transaction():
            self._settle()
            if apply_at is not None and apply_at > self.clock.now():
                self._postpone(shop, writes, source, apply_at)
                return
            for write in writes:
                self._apply(shop, write, source, show_at, self.clock.now())

    def written(self, shop: Shop) -> list[Written]:
        """Applied writes of the shop, oldest first."""
        self._settle()
        rows = self._db.execute(
            "SELECT * FROM writes WHERE mall = ? AND seller = ? ORDER BY id", shop.key
        )
        return [
            Written(
                _moment(r["at"]),
                r["source"],
                r["item_code"],
                r["variant_code"],
                r["mode"],
                r["sent"],
                r["quantity"],
            )
            for r in rows
        ]

    # orders

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

    def save_order(self, shop: Shop, order: Order) -> None:
        lines = _json([_line_row(line) for line in order.lines])
        times = map(_seconds, (order.placed_at, order.visible_at, order.updated_at))
        books = (order.status, order.open, lines, _json(order.details))
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
        return _order(row)

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
            (*shop.key, *map(_seconds, bounds)),
        )
        return [_order(row) for row in rows]

    # whatever else a mall remembers: tokens, consent codes, feeds, reports

    def put_record(
        self, mall: str, kind: str, key: str, body: Mapping[str, Any], seller: str = ""
    ) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
            (mall, seller, kind, key, _json(body)),
        )

    def record(self, mall: str, kind: str, key: str) -> dict[str, Any] | None:
        row = self._db.execute(
            "SELECT body FROM records WHERE mall = ? AND kind = ? AND key = ?", (mall, kind, key)
        ).fetchone()
        return None if row is None else json.loads(row["body"])

    def records(self, mall: str, kind: str, seller: str) -> dict[str, dict[str, Any]]:
        """By key, in the order of the keys."""
        rows = self._db.execute(
            "SELECT key, body FROM records WHERE mall = ? AND kind = ? AND seller = ? ORDER BY key",
            (mall, kind, seller),
        )
        return {row["key"]: json.loads(row["body"]) for row in rows}

    def drop_record(self, mall: str, kind: str, key: str) -> None:
        self._db.execute(
            "DELETE FROM records WHERE mall = ? AND kind = ? AND key = ?", (mall, kind, key)
        )

    def drop_records(self, mall: str, kind: str, seller: str) -> None:
        self._db.execute(
            "DELETE FROM records WHERE mall = ? AND kind = ? AND seller = ?", (mall, kind, seller)
        )

    # inside

    def _settle(self) -> None:
        """Applies the writes that have become due, in the order in which they were due; drops what is shown by now."""
        now = _seconds(self.clock.now())
        if not self._db.execute(_DUE, (now, now)).fetchone()[0]:
            return
        with self.transaction():
            due = self._db.execute(
                "SELECT * FROM unapplied WHERE due_at <= ? ORDER BY due_at, id", (now,)
            ).fetchall()
            for row in due:
                self._apply_due(row)
            self._db.execute("DELETE FROM unapplied WHERE due_at <= ?", (now,))
            self._db.execute("DELETE FROM unshown WHERE due_at <= ?", (now,))

    def _apply_due(self, row: sqlite3.Row) -> None:
        body = json.loads(row["body"])
        shop = self.shop(row["mall"], row["seller"])
        write = StockWrite(
            tuple(body["key"]), body["quantity"], body["relative"], body["attributes"]
        )
        self._apply(shop, write, body["source"], None, _moment(row["due_at"]))

    def _postpone(
        self, shop: Shop, writes: Sequence[StockWrite], source: str, apply_at: datetime
    ) -> None:
        for write in writes:
            body = asdict(write) | {"source": source}
            self._db.execute(
                "INSERT INTO unapplied (mall, seller, body, due_at) VALUES (?, ?, ?, ?)",
                (*shop.key, _json(body), _seconds(apply_at)),
            )

    def _apply(
        self, shop: Shop, write: StockWrite, source: str, show_at: datetime | None, now: datetime
    ) -> None:
        before = self._raw(shop, write.key) or self._ghost(shop, write.key, now)
        quantity = _after(before["quantity"], write)
        attributes = json.loads(before["attributes"]) | write.attributes
        kept = {name: value for name, value in attributes.items() if value is not None}
        self._db.execute(
            "UPDATE items SET quantity = ?, attributes = ?, updated_at = ? "
            "WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
            (quantity, _json(kept), _seconds(now), *shop.key, *write.key),
        )
        if show_at is not None and show_at > now and quantity != before["quantity"]:
            self._show_later(shop, write.key, quantity - before["quantity"], show_at)
        self._log(shop, write, source, quantity, now)

    def _ghost(self, shop: Shop, key: ItemKey, now: datetime) -> sqlite3.Row:
        self._db.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?, '', 0, ?, ?, ?)",
            (*shop.key, *key, _json({"ghost": True}), _seconds(now), _seconds(now)),
        )
        row = self._raw(shop, key)
        if row is None:
            raise Unknown(f"There is no item {':'.join(key)!r}.")
        return row

    def _show_later(self, shop: Shop, key: ItemKey, delta: int, show_at: datetime) -> None:
        self._db.execute(
            "INSERT INTO unshown (mall, seller, item_code, variant_code, delta, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*shop.key, *key, delta, _seconds(show_at)),
        )

    def _log(
        self, shop: Shop, write: StockWrite, source: str, quantity: int, now: datetime
    ) -> None:
        mode = "RELATIVE" if write.relative else "ABSOLUTE"
        row = self._db.execute(
            "INSERT INTO writes (mall, seller, at, source, item_code, variant_code, mode, sent, quantity) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*shop.key, _seconds(now), source, *write.key, mode, write.quantity, quantity),
        ).fetchone()
        self._db.execute("DELETE FROM writes WHERE id <= ?", (row["id"] - WRITES_KEPT,))

    def _raw(self, shop: Shop, key: ItemKey) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM items WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
            (*shop.key, *key),
        ).fetchone()
        return row

    def _forget_pending(self, shop: Shop, key: ItemKey) -> None:
        self._db.execute(
            "DELETE FROM unshown WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
            (*shop.key, *key),
        )

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

    def _move(self, shop: Shop, key: ItemKey, delta: int) -> None:
        if delta:
            self._db.execute(
                "UPDATE items SET quantity = quantity + ?, updated_at = ? "
                "WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
                (delta, _seconds(self.clock.now()), *shop.key, *key),
            )

    def _next_sequence(self, shop: Shop) -> int:
        row = self._db.execute(
            "SELECT coalesce(max(sequence), 0) + 1 AS next FROM orders WHERE mall = ? AND seller = ?",
            shop.key,
        ).fetchone()
        return int(row["next"])


_ITEMS_OF_SHOP = """SELECT *, (SELECT coalesce(sum(delta), 0) FROM unshown
    WHERE unshown.mall = items.mall AND unshown.seller = items.seller
    AND unshown.item_code = items.item_code AND unshown.variant_code = items.variant_code) AS unshown
    FROM items WHERE mall = ? AND seller = ? """
_ITEM = _ITEMS_OF_SHOP + "AND item_code = ? AND variant_code = ?"
_ITEMS = _ITEMS_OF_SHOP + "ORDER BY item_code, variant_code"
_DUE = "SELECT EXISTS (SELECT 1 FROM unapplied WHERE due_at <= ?) OR EXISTS (SELECT 1 FROM unshown WHERE due_at <= ?)"


def _after(before: int, write: StockWrite) -> int:
    if write.quantity is None:
        return before
    return before + write.quantity if write.relative else write.quantity


def _shop(row: sqlite3.Row) -> Shop:
    return Shop(
        row["mall"], row["seller"], json.loads(row["credentials"]), json.loads(row["settings"])
    )


def _item(row: sqlite3.Row) -> Item:
    """What is shown is the counter without the writes not yet shown; below zero only when the counter is."""
    shown = max(row["quantity"] - row["unshown"], min(row["quantity"], 0))
    return Item(
        row["item_code"],
        row["variant_code"],
        row["name"],
        row["quantity"],
        shown,
        json.loads(row["attributes"]),
        _moment(row["created_at"]),
        _moment(row["updated_at"]),
    )


def _order(row: sqlite3.Row) -> Order:
    return Order(
        row["number"],
        row["sequence"],
        _moment(row["placed_at"]),
        _moment(row["visible_at"]),
        _moment(row["updated_at"]),
        row["status"],
        bool(row["open"]),
        tuple(OrderLine(*line) for line in json.loads(row["lines"])),
        json.loads(row["details"]),
    )


def _line_row(line: OrderLine) -> list[str | int]:
    return [line.item_code, line.variant_code, line.name, line.ordered, line.quantity, line.lowered]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
