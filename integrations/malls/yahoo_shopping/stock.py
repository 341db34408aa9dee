"""Yahoo's setStock and getStock (the mall's fact sheet, §2 and §3): forms out, XML in."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from domain.model.malls import (
    ItemRef,
    MallTime,
    PushOutcome,
    PushResult,
    StockPush,
    StockReading,
    WriteMode,
)
from integrations.http import MallAnswer, reading

from .answers import document, optional, word

OVERDRAFT = "allow_overdraft"
APPLIED_UNREAD = "ed-10002"
NO_DATA = "0"


def set_form(seller_id: str, pushes: Sequence[StockPush]) -> dict[str, str]:
    """allow_overdraft has one value for each code or none at all, so it travels when every push brings it."""
    form = {
        "seller_id": seller_id,
        "item_code": ",".join(code(push.ref) for push in pushes),
        "quantity": ",".join(quantity(push) for push in pushes),
    }
    if all(OVERDRAFT in push.fields for push in pushes):
        form[OVERDRAFT] = ",".join(push.fields[OVERDRAFT] for push in pushes)
    return form


def get_form(seller_id: str, refs: Sequence[ItemRef]) -> dict[str, str]:
    return {"seller_id": seller_id, "item_code": ",".join(code(ref) for ref in refs)}


def code(ref: ItemRef) -> str:
    return f"{ref.item_code}:{ref.variant_code}" if ref.variant_code else ref.item_code


def quantity(push: StockPush) -> str:
    """A sign makes it relative."""
    return f"{push.quantity:+d}" if push.mode is WriteMode.RELATIVE else str(push.quantity)


def results(answer: MallAnswer, pushes: Sequence[StockPush]) -> list[PushResult]:
    """HTTP 207 tells the items apart; those without an error code stand, and so does ed-10002 (applied, not re-read)."""
    with reading(answer.response):
        told = _by_ref(answer)
        return [_result(push.ref, answer.at, told) for push in pushes]


def _by_ref(answer: MallAnswer) -> dict[ItemRef, Element]:
    root = document(answer.response)
    if root.tag != "ResultSet":
        raise ValueError(f"<{root.tag}> in place of <ResultSet>")
    return {
        ItemRef(word(each, "ItemCode"), optional(each, "SubCode")): each
        for each in root.iter("Result")
    }


def _result(ref: ItemRef, at: MallTime, told: Mapping[ItemRef, Element]) -> PushResult:
    """An item that failed may come without its sub-code; one that is not told at all has to be read back."""
    found = told.get(ref)
    whole_item = told.get(ItemRef(ref.item_code))
    if found is None and whole_item is not None and optional(whole_item, "ErrorCode"):
        found = whole_item
    if found is None:
        return PushResult(ref, PushOutcome.ACCEPTED, at)
    error = optional(found, "ErrorCode")
    if error == APPLIED_UNREAD:
        return PushResult(ref, PushOutcome.APPLIED, at, mall_code=error)
    if error:
        return PushResult(
            ref,
            PushOutcome.REFUSED,
            at,
            mall_code=error,
            mall_message=optional(found, "ErrorMessage"),
        )
    return PushResult(ref, PushOutcome.APPLIED, at, quantity=int(word(found, "Quantity")))


def readings(answer: MallAnswer, refs: Sequence[ItemRef]) -> list[StockReading]:
    with reading(answer.response):
        told = _by_ref(answer)
        return [_reading(ref, answer.at, told[ref]) for ref in refs]


def _reading(ref: ItemRef, at: MallTime, told: Element) -> StockReading:
    if word(told, "Status") == NO_DATA:
        return StockReading(ref, at, found=False)
    overdraft = optional(told, "AllowOverdraft")
    fields = {OVERDRAFT: overdraft} if overdraft else {}
    return StockReading(ref, at, quantity=int(word(told, "Quantity")), fields=fields)
