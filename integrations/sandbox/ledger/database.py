"""The file of the books: tables, transactions, shops, and whatever else a mall remembers."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.sandbox.clock import Clock
from integrations.sandbox.ledger.rows import as_json, as_shop
from integrations.sandbox.ledger.values import Shop, Unknown

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


class Database:
    """Writes through: what is answered is on disk, for its owner's eyes only (credentials are among it)."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.clock = clock
        if path:
            path.touch(mode=0o600)
            path.chmod(0o600)
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

    def save_shop(self, shop: Shop) -> Shop:
        self._db.execute(
            "INSERT OR REPLACE INTO shops VALUES (?, ?, ?, ?)",
            (*shop.key, as_json(shop.credentials), as_json(shop.settings)),
        )
        return shop

    def shop(self, mall: str, seller: str) -> Shop:
        row = self._db.execute(
            "SELECT * FROM shops WHERE mall = ? AND seller = ?", (mall, seller)
        ).fetchone()
        if row is None:
            raise Unknown(f"There is no shop {seller!r} at {mall!r}.")
        return as_shop(row)

    def shops(self, mall: str | None = None) -> list[Shop]:
        rows = self._db.execute(
            "SELECT * FROM shops WHERE ? IS NULL OR mall = ? ORDER BY mall, seller", (mall, mall)
        )
        return [as_shop(row) for row in rows]

    def shop_with(self, mall: str, **credentials: str) -> Shop | None:
        """The mall's shop whose credentials hold exactly these values."""
        for shop in self.shops(mall):
            if all(shop.credentials.get(name) == value for name, value in credentials.items()):
                return shop
        return None

    def put_record(
        self, mall: str, kind: str, key: str, body: Mapping[str, Any], seller: str = ""
    ) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
            (mall, seller, kind, key, as_json(body)),
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
