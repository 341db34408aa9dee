"""setStock and getStock (fact sheet §2, §3).

A fault in the request's form refuses the whole call; an item that the store refuses fails alone (207). Stock of a code
that is not registered is taken without a word, and bound when the item is registered.
"""

import re
from collections.abc import Sequence
from datetime import timedelta, timezone
from xml.etree.ElementTree import Element

from starlette.responses import Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Item, ItemKey, StockWrite
from integrations.sandbox.yahoo import errors
from integrations.sandbox.yahoo.consent import form
from integrations.sandbox.yahoo.markup import answer, element, result_set

JST = timezone(timedelta(hours=9))
MAX_CODES = 1000
CODE = re.compile(r"[A-Za-z0-9-]{1,99}(:[A-Za-z0-9-]{1,99})?")
QUANTITY = re.compile(r"[+-]?\d{1,9}")
WRITTEN_BUT_UNREAD = "ed-10002"
REFUSED_ITEM = "st-02999"


async def set_stock(call: Call) -> Response:
    asked = form(call.body)
    _own_store(call, asked.get("seller_id", ""), "st-02100")
    keys = _codes(asked.get("item_code", ""))
    writes = _writes(keys, asked.get("quantity", ""), asked.get("allow_overdraft", ""))
    before = call.ledger.found(call.shop, keys)
    failures = {key: fault.code or REFUSED_ITEM for key in keys if (fault := call.refusal(key))}
    accepted = [w for w in writes if failures.get(w.key, WRITTEN_BUT_UNREAD) == WRITTEN_BUT_UNREAD]
    if len(accepted) == 0 and len(keys) == 1:
        return errors.by_code(failures[keys[0]])
    call.write(accepted)
    results = [_written(write, before.get(write.key), failures.get(write.key)) for write in writes]
    return answer(result_set(results), 207 if failures else 200)


async def get_stock(call: Call) -> Response:
    asked = form(call.body)
    _own_store(call, asked.get("seller_id", ""), "ed-00003")
    keys = _codes(asked.get("item_code", ""))
    found = call.ledger.found(call.shop, keys)
    known = {key: item for key, item in found.items() if not item.attributes.get("ghost")}
    results = [_read(key, known.get(key)) for key in keys]
    return answer(result_set(results, more={"ok": len(known), "ng": len(keys) - len(known)}))


def _own_store(call: Call, seller: str, missing: str) -> None:
    if not seller:
        raise Refused(errors.by_code(missing))
    if seller != call.shop.seller:
        raise Refused(errors.by_code("ed-00005"))


def _codes(text: str) -> list[ItemKey]:
    """Raises Refused for none, too many, malformed or repeated codes."""
    codes = text.split(",")
    if len(codes) > MAX_CODES:
        raise Refused(errors.by_code("st-02102"))
    if not all(CODE.fullmatch(code) for code in codes):
        raise Refused(errors.by_code("st-02101"))
    if len(set(codes)) < len(codes):
        raise Refused(errors.by_code("st-02103"))
    return [(item, sub) for item, _, sub in (code.partition(":") for code in codes)]


def _writes(keys: Sequence[ItemKey], quantities: str, overdrafts: str) -> list[StockWrite]:
    numbers = quantities.split(",")
    flags = overdrafts.split(",") if overdrafts else [""] * len(keys)
    if not all(QUANTITY.fullmatch(number) for number in numbers):
        raise Refused(errors.by_code("st-02104"))
    if len(numbers) != len(keys):
        raise Refused(errors.by_code("st-02105"))
    if not set(flags) <= {"0", "1", ""} or (overdrafts and "" in flags):
        raise Refused(errors.by_code("st-02106"))
    if len(flags) != len(keys):
        raise Refused(errors.by_code("st-02107"))
    return [_write(*parts) for parts in zip(keys, numbers, flags, strict=True)]


def _write(key: ItemKey, number: str, flag: str) -> StockWrite:
    """A sign makes the number a delta."""
    attributes = {"overdraft": flag == "1"} if flag else {}
    return StockWrite(key, int(number), number[0] in "+-", attributes)


def _written(write: StockWrite, before: Item | None, failure: str | None) -> Element:
    named = _named(write.key)
    if failure:
        return element("Result", {**named, "ErrorCode": failure})
    counter = before.quantity if before and write.relative else 0
    return element("Result", {**named, "Quantity": counter + (write.quantity or 0)})


def _read(key: ItemKey, item: Item | None) -> Element:
    if item is None:
        return element("Result", {**_named(key), "Status": 0})
    updated = item.updated_at.astimezone(JST).replace(microsecond=0).isoformat()
    return element(
        "Result",
        {
            **_named(key),
            "Status": 1,
            "Quantity": item.shown,
            "AllowOverdraft": int(bool(item.attributes.get("overdraft"))),
            "IsPublished": 1,
            "UpdateTime": updated,
        },
    )


def _named(key: ItemKey) -> dict[str, str]:
    return {"ItemCode": key[0], "SubCode": key[1]}
