"""Items and their counters: what is written, what is shown, what is applied later."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from integrations.sandbox.ledger.database import Database
from integrations.sandbox.ledger.rows import as_item, as_json, as_moment, as_seconds, as_written
from integrations.sandbox.ledger.values import (
    Item,
    ItemKey,
    NewItem,
    Shop,
    StockWrite,
    Unknown,
    Written,
)

WRITES_KEPT = 100_000
_ITEMS_OF_SHOP = """SELECT *, (SELECT coalesce(sum(delta), 0) FROM unshown
    WHERE unshown.mall = items.mall AND unshown.seller = items.seller
    AND unshown.item_code = items.item_code AND unshown.variant_code = items.variant_code) AS unshown
    FROM items WHERE mall = ? AND seller = ? """
_ITEM = _ITEMS_OF_SHOP + "AND item_code = ? AND variant_code = ?"
_ITEMS = _ITEMS_OF_SHOP + "ORDER BY item_code, variant_code"
_DUE = "SELECT EXISTS (SELECT 1 FROM unapplied WHERE due_at <= ?) OR EXISTS (SELECT 1 FROM unshown WHERE due_at <= ?)"


class Stock(Database):
    """Reads and writes first apply what has become due."""

    def put_items(self, shop: Shop, items: Iterable[NewItem]) -> None:
        """Sets items as the merchant would on the mall's screen: shown at once."""
        now = as_seconds(self.clock.now())
        with self.transaction():
            for item in items:
                self._forget_unshown(shop, item.key)
                self._db.execute(
                    "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "name = excluded.name, quantity = excluded.quantity, "
                    "attributes = excluded.attributes, updated_at = excluded.updated_at",
                    (
                        *shop.key,
                        *item.key,
                        item.name,
                        item.quantity,
                        as_json(item.attributes),
                        now,
                        now,
                    ),
                )

    def remove_item(self, shop: Shop, key: ItemKey) -> bool:
        """Answers whether there was such an item."""
        with self.transaction():
            self._forget_unshown(shop, key)
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
        items = (as_item(row) for row in rows if row is not None)
        return {item.key: item for item in items}

    def items(self, shop: Shop) -> list[Item]:
        """All items of the shop by code."""
        self._settle()
        rows = self._db.execute(_ITEMS, shop.key)
        return [as_item(row) for row in rows]

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
        return [as_written(row) for row in rows]

    def _settle(self) -> None:
        """Applies the writes that have become due, in the order in which they were due; drops what is shown by now."""
        now = as_seconds(self.clock.now())
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
        self._apply(shop, write, body["source"], None, as_moment(row["due_at"]))

    def _postpone(
        self, shop: Shop, writes: Sequence[StockWrite], source: str, apply_at: datetime
    ) -> None:
        for write in writes:
            body = asdict(write) | {"source": source}
            self._db.execute(
                "INSERT INTO unapplied (mall, seller, body, due_at) VALUES (?, ?, ?, ?)",
                (*shop.key, as_json(body), as_seconds(apply_at)),
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
            (quantity, as_json(kept), as_seconds(now), *shop.key, *write.key),
        )
        if show_at is not None and show_at > now:
            self._show_later(shop, write.key, quantity - before["quantity"], show_at)
        elif not write.relative and write.quantity is not None:
            self._forget_unshown(shop, write.key)
        self._log(shop, write, source, quantity, now)

    def _ghost(self, shop: Shop, key: ItemKey, now: datetime) -> sqlite3.Row:
        self._db.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?, '', 0, ?, ?, ?)",
            (*shop.key, *key, as_json({"ghost": True}), as_seconds(now), as_seconds(now)),
        )
        row = self._raw(shop, key)
        if row is None:
            raise Unknown(f"There is no item {':'.join(key)!r}.")
        return row

    def _show_later(self, shop: Shop, key: ItemKey, delta: int, show_at: datetime) -> None:
        self._db.execute(
            "INSERT INTO unshown (mall, seller, item_code, variant_code, delta, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*shop.key, *key, delta, as_seconds(show_at)),
        )

    def _log(
        self, shop: Shop, write: StockWrite, source: str, quantity: int, now: datetime
    ) -> None:
        mode = "RELATIVE" if write.relative else "ABSOLUTE"
        row = self._db.execute(
            "INSERT INTO writes (mall, seller, at, source, item_code, variant_code, mode, sent, quantity) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*shop.key, as_seconds(now), source, *write.key, mode, write.quantity, quantity),
        ).fetchone()
        self._db.execute("DELETE FROM writes WHERE id <= ?", (row["id"] - WRITES_KEPT,))

    def _raw(self, shop: Shop, key: ItemKey) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM items WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
            (*shop.key, *key),
        ).fetchone()
        return row

    def _forget_unshown(self, shop: Shop, key: ItemKey) -> None:
        self._db.execute(
            "DELETE FROM unshown WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
            (*shop.key, *key),
        )

    def _move(self, shop: Shop, key: ItemKey, delta: int) -> None:
        if delta:
            self._db.execute(
                "UPDATE items SET quantity = quantity + ?, updated_at = ? "
                "WHERE mall = ? AND seller = ? AND item_code = ? AND variant_code = ?",
                (delta, as_seconds(self.clock.now()), *shop.key, *key),
            )


def _after(before: int, write: StockWrite) -> int:
    if write.quantity is None:
        return before
    return before + write.quantity if write.relative else write.quantity
