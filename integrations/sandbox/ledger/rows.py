"""Rows of the books to values and back. Times are kept as seconds since 1970, structures as JSON."""

import json
import sqlite3
from datetime import UTC, datetime

from integrations.sandbox.ledger.values import Item, Order, OrderLine, Shop, Written


def as_shop(row: sqlite3.Row) -> Shop:
    return Shop(
        row["mall"], row["seller"], json.loads(row["credentials"]), json.loads(row["settings"])
    )


def as_item(row: sqlite3.Row) -> Item:
    """What is shown is the counter without the writes not yet shown; below zero only when the counter is."""
    shown = max(row["quantity"] - row["unshown"], min(row["quantity"], 0))
    return Item(
        row["item_code"],
        row["variant_code"],
        row["name"],
        row["quantity"],
        shown,
        json.loads(row["attributes"]),
        as_moment(row["created_at"]),
        as_moment(row["updated_at"]),
    )


def as_order(row: sqlite3.Row) -> Order:
    return Order(
        row["number"],
        row["sequence"],
        as_moment(row["placed_at"]),
        as_moment(row["visible_at"]),
        as_moment(row["updated_at"]),
        row["status"],
        bool(row["open"]),
        tuple(OrderLine(*line) for line in json.loads(row["lines"])),
        json.loads(row["details"]),
    )


def line_row(line: OrderLine) -> list[str | int]:
    return [line.item_code, line.variant_code, line.name, line.ordered, line.quantity, line.lowered]


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_seconds(moment: datetime) -> float:
    return moment.timestamp()


def as_moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def as_written(row: sqlite3.Row) -> Written:
    return Written(
        as_moment(row["at"]),
        row["source"],
        row["item_code"],
        row["variant_code"],
        row["mode"],
        row["sent"],
        row["quantity"],
    )
