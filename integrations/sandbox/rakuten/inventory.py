"""Inventory API 2.0 and 2.1: bulk-upsert, single put, single get, bulk-get, range (fact sheet §2, §3).

A bulk write is all or nothing. Stock of an unknown SKU is taken without a word: a ghost, kept from every reading and
deleted a day after its last update.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Item, ItemKey, StockWrite
from integrations.sandbox.rakuten.mall import errors, shown_time, switched_on

MAX_WRITES = 400
MAX_READS = 1000
MAX_FOUND = 1000
MAX_QUANTITY = 99_999
CODE_BYTES = 32
GHOST_LIFE = timedelta(hours=24)
CODE = re.compile(r"[a-zA-Z0-9_-]+")
FIELDS = frozenset({"manageNumber", "variantId", "mode", "quantity"})
FIELDS_OF_2_1 = FIELDS | {"operationLeadTime", "shipFromIds"}

Problem = tuple[str, str, str]
"""Code, message, propertyPath."""


async def bulk_upsert(call: Call) -> Response:
    switched_on(call)
    entries = _entries(call, MAX_WRITES)
    _upsert(call, [(f"inventories[{i}].", entry) for i, entry in enumerate(entries)])
    return Response(status_code=204)


async def put_one(call: Call) -> Response:
    switched_on(call)
    entry = _body(call) | _path_codes(call)
    _upsert(call, [("", entry)])
    return Response(status_code=204)


async def get_one(call: Call) -> Response:
    switched_on(call)
    codes = _path_codes(call)
    found = _visible(call, [_key(codes)])
    if not found:
        return errors(404, ("GE0014", "Not Found", ""))
    return JSONResponse(_shown(found[0]))


async def bulk_get(call: Call) -> Response:
    """SKUs that Rakuten does not hold are just absent."""
    switched_on(call)
    found = _visible(call, [_key(entry) for entry in _entries(call, MAX_READS)])
    return JSONResponse({"inventories": [_shown(item) for item in found]})


async def find_by_quantity(call: Call) -> Response:
    switched_on(call)
    low, high = _bound(call, "minQuantity"), _bound(call, "maxQuantity")
    if low is None and high is None:
        return errors(400, ("IE0002", "minQuantity or maxQuantity is required", "minQuantity"))
    items = call.ledger.items(call.shop)
    found = [item for item in items if not _is_ghost(item) and _within(item.shown, low, high)]
    if len(found) > MAX_FOUND:
        return errors(400, ("IE0116", "Too many search results", ""))
    found.sort(key=lambda item: item.updated_at, reverse=True)
    return JSONResponse({"inventories": [_shown(item) for item in found]})


def _upsert(call: Call, entries: list[tuple[str, dict[str, Any]]]) -> None:
    """Writes all entries, or raises Refused naming every one that is at fault."""
    counters = _counters(call, [_key(entry) for _, entry in entries])
    problems: list[Problem] = []
    for path, entry in entries:
        problems += _problems(call, path, entry) or _count(counters, path, entry)
    if problems:
        raise Refused(errors(400, *problems))
    call.write([_write(entry) for _, entry in entries])


def _counters(call: Call, keys: list[ItemKey]) -> dict[ItemKey, int]:
    """What Rakuten counts for these SKUs; ghosts that have outlived their day are deleted first."""
    found = call.ledger.found(call.shop, keys)
    for key, item in list(found.items()):
        if _is_ghost(item) and item.updated_at + GHOST_LIFE <= call.now:
            call.ledger.remove_item(call.shop, key)
            del found[key]
    return {key: item.quantity for key, item in found.items()}


def _problems(call: Call, path: str, entry: Mapping[str, Any]) -> list[Problem]:
    fields = FIELDS_OF_2_1 if "/es/2.1/" in call.request.url.path else FIELDS
    unknown = [
        ("IE0002", f"Unknown field {name}", path + name) for name in entry if name not in fields
    ]
    codes = [
        *_code_problems(path, "manageNumber", entry),
        *_code_problems(path, "variantId", entry),
    ]
    return unknown + codes + _value_problems(path, entry) or _refused_by_fault(call, path, entry)


def _code_problems(path: str, name: str, entry: Mapping[str, Any]) -> list[Problem]:
    code = entry.get(name)
    if not isinstance(code, str) or not CODE.fullmatch(code):
        return [("IE0002", f"Invalid {name}", path + name)]
    if len(code) > CODE_BYTES:
        return [("IE0004", f"{name} is longer than {CODE_BYTES} bytes", path + name)]
    return []


def _value_problems(path: str, entry: Mapping[str, Any]) -> list[Problem]:
    mode, quantity = entry.get("mode"), entry.get("quantity")
    if mode not in ("ABSOLUTE", "RELATIVE"):
        return [("IE0002", "Invalid mode", f"{path}mode")]
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        return [("IE0002", "Invalid quantity", f"{path}quantity")]
    lowest = 0 if mode == "ABSOLUTE" else -MAX_QUANTITY
    if not lowest <= quantity <= MAX_QUANTITY:
        return [("IE0003", "quantity is out of range", f"{path}quantity")]
    return []


def _refused_by_fault(call: Call, path: str, entry: Mapping[str, Any]) -> list[Problem]:
    if not call.refuses(_key(entry)):
        return []
    return [("IE1101", "The item cannot be updated", f"{path}manageNumber")]


def _count(counters: dict[ItemKey, int], path: str, entry: Mapping[str, Any]) -> list[Problem]:
    """Follows the counters through the batch: a delta needs a counter and must stay within its range."""
    key, quantity = _key(entry), int(entry["quantity"])
    if entry["mode"] == "RELATIVE":
        if key not in counters:
            return [("GE0014", "The first registration must be ABSOLUTE", f"{path}mode")]
        quantity += counters[key]
        if not 0 <= quantity <= MAX_QUANTITY:
            return [("IE0003", "quantity is out of range", f"{path}quantity")]
    counters[key] = quantity
    return []


def _write(entry: Mapping[str, Any]) -> StockWrite:
    return StockWrite(_key(entry), int(entry["quantity"]), entry["mode"] == "RELATIVE")


def _visible(call: Call, keys: list[ItemKey]) -> list[Item]:
    found = call.ledger.found(call.shop, keys)
    return [found[key] for key in keys if key in found and not _is_ghost(found[key])]


def _is_ghost(item: Item) -> bool:
    return bool(item.attributes.get("ghost"))


def _entries(call: Call, most: int) -> list[dict[str, Any]]:
    entries = _body(call).get("inventories")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refused(errors(400, ("IE0002", "Invalid inventories", "inventories")))
    if not 1 <= len(entries) <= most:
        words = f"inventories must hold 1 to {most} entries"
        raise Refused(errors(400, ("IE0004", words, "inventories")))
    return entries


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(errors(400, ("IE0002", "The body is not a JSON object", "")))
    return body


def _path_codes(call: Call) -> dict[str, str]:
    path = call.request.path_params
    return {"manageNumber": path["manage_number"], "variantId": path["variant_id"]}


def _key(entry: Mapping[str, Any]) -> ItemKey:
    return (str(entry.get("manageNumber", "")).lower(), str(entry.get("variantId", "")))


def _bound(call: Call, name: str) -> int | None:
    text = call.request.query_params.get(name)
    if text is None:
        return None
    if not text.isdigit() or int(text) > MAX_QUANTITY:
        raise Refused(errors(400, ("IE0003", f"{name} is out of range", name)))
    return int(text)


def _within(quantity: int, low: int | None, high: int | None) -> bool:
    return (low is None or low <= quantity) and (high is None or quantity <= high)


def _shown(item: Item) -> dict[str, Any]:
    return {
        "manageNumber": item.item_code,
        "variantId": item.variant_code,
        "quantity": item.shown,
        "created": shown_time(item.created_at),
        "updated": shown_time(item.updated_at),
    }
