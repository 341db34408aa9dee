"""Rakuten's InventoryAPI 2.0 (the mall's fact sheet, §2 and §3): numbers in, numbers out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from domain.model.errors import MallError, MallRefused
from domain.model.malls import (
    ItemRef,
    MallTime,
    PushOutcome,
    PushResult,
    StockPush,
    StockReading,
)
from integrations.http import MallAnswer, malformed, reading

from .answers import classify, faults, whole, word

DONE = 204


def upsert_body(pushes: Sequence[StockPush]) -> dict[str, object]:
    return {
        "inventories": [
            named(push.ref) | {"mode": push.mode.value, "quantity": push.quantity}
            for push in pushes
        ]
    }


def get_body(refs: Sequence[ItemRef]) -> dict[str, object]:
    return {"inventories": [named(ref) for ref in refs]}


def named(ref: ItemRef) -> dict[str, object]:
    return {"manageNumber": ref.item_code, "variantId": ref.variant_code}


def folded(ref: ItemRef) -> ItemRef:
    """Rakuten lowers the case of manageNumber and keeps that of variantId."""
    return ItemRef(ref.item_code.lower(), ref.variant_code)


def applied(answer: MallAnswer, pushes: Sequence[StockPush]) -> list[PushResult]:
    """204 with an empty body means that all stand; there is no partial form."""
    if answer.response.status_code != DONE:
        raise malformed(answer.response, f"HTTP {answer.response.status_code} in place of {DONE}")
    return [PushResult(push.ref, PushOutcome.APPLIED, answer.at) for push in pushes]


def classify_upsert(response: httpx.Response, pushes: Sequence[StockPush]) -> MallError | None:
    """A refusal names the item it objects to: the entry at its propertyPath, or the only one that was sent. Nothing
    of the call was applied then."""
    error = classify(response)
    if isinstance(error, MallRefused):
        error.item_ref = _objected(pushes, response)
    return error


def _objected(pushes: Sequence[StockPush], response: httpx.Response) -> str | None:
    if len(pushes) == 1:
        return str(pushes[0].ref)
    entries = [fault.entry for fault in faults(response) if fault.entry is not None]
    return str(pushes[entries[0]].ref) if entries and entries[0] < len(pushes) else None


def readings(answer: MallAnswer, refs: Sequence[ItemRef]) -> list[StockReading]:
    """What Rakuten does not know is absent from its answer."""
    with reading(answer.response):
        known = dict(quantities(answer.response.json()))
    return [_reading(ref, answer.at, known) for ref in refs]


def _reading(ref: ItemRef, at: MallTime, known: Mapping[ItemRef, int]) -> StockReading:
    quantity = known.get(folded(ref))
    return StockReading(ref, at, found=quantity is not None, quantity=quantity)


def quantities(body: Mapping[str, Any]) -> Iterator[tuple[ItemRef, int]]:
    for each in body["inventories"]:
        ref = ItemRef(word(each["manageNumber"]), word(each["variantId"]))
        yield folded(ref), whole(each["quantity"])
