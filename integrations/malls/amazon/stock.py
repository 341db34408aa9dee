"""Quantities at Amazon, in the form of the Listings Items API 2021-08-01 (the mall's fact sheet, §2 and §3).

One SKU a write. `merge` changes only what is sent; `replace` would drop the lead time and other siblings. Only the
channel DEFAULT is ever written: the AMAZON_* channels hold what Amazon stores and ships itself (FBA).
"""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

from domain.model.errors import MallRefused
from domain.model.malls import (
    ItemRef,
    MallTime,
    PushOutcome,
    PushResult,
    StockPush,
    StockReading,
    WriteMode,
)
from integrations.http import MallAnswer

from .answers import (
    Document,
    Unreadable,
    document_in,
    listed,
    objects,
    optional_count,
    part,
    required,
    word,
)
from .channels import OWN_CHANNEL, stored_at_amazon
from .errors import first_error

AVAILABILITY = "fulfillment_availability"
LEAD_TIME = "lead_time_to_ship_max_days"
RESTOCK_DATE = "restock_date"
INCLUDED = "fulfillmentAvailability,attributes"
LOCALE = "ja_JP"
REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
WORDS_LIMIT = 500


def listings_path(seller_id: str) -> str:
    return f"/listings/2021-08-01/items/{quote(seller_id, safe='')}"


def listing_path(seller_id: str, ref: ItemRef) -> str:
    return f"{listings_path(seller_id)}/{quote(ref.item_code, safe='')}"


def patch_of(push: StockPush) -> dict[str, object]:
    """The body of patchListingsItem. Raises MallRefused for what Amazon has no words for."""
    if push.mode is not WriteMode.ABSOLUTE:
        raise MallRefused("Amazon takes absolute quantities only.", item_ref=str(push.ref))
    availability = {"fulfillment_channel_code": OWN_CHANNEL, "quantity": push.quantity}
    merge = {
        "op": "merge",
        "path": f"/attributes/{AVAILABILITY}",
        "value": [availability | fields_to_send(push)],
    }
    return {"productType": "PRODUCT", "patches": [merge]}


def fields_to_send(push: StockPush) -> dict[str, object]:
    """Lead time in days and restock date, where they are ours to send. Raises MallRefused for a lead time that is none."""
    fields: dict[str, object] = {}
    if days := push.fields.get(LEAD_TIME):
        if not days.isdecimal():
            raise MallRefused(f"{LEAD_TIME} is not a number of days.", item_ref=str(push.ref))
        fields[LEAD_TIME] = int(days)
    if date := push.fields.get(RESTOCK_DATE):
        fields[RESTOCK_DATE] = date
    return fields


def result_of(ref: ItemRef, answer: MallAnswer) -> PushResult:
    """Accepted is queued, not applied. A refusal is a 200 with issues, or a 400 or 404 with errors."""
    if not answer.response.is_success:
        code, message = first_error(answer.response)
        return PushResult(ref, PushOutcome.REFUSED, answer.at, mall_code=code, mall_message=message)
    with document_in(answer.response) as submission:
        outcome, issues = verdict(submission)
        code, message = words_of(issues)
    return PushResult(ref, outcome, answer.at, mall_code=code, mall_message=message)


def verdict(submission: Document) -> tuple[PushOutcome, list[Document]]:
    """What became of a submission, and the issues that say why."""
    issues = objects(submission, "issues")
    match required(submission, "status", str):
        case "ACCEPTED":
            return PushOutcome.ACCEPTED, issues
        case "INVALID":
            errors = [issue for issue in issues if issue.get("severity") == "ERROR"]
            return PushOutcome.REFUSED, errors or issues
        case _:
            raise Unreadable("status is neither ACCEPTED nor INVALID")


def words_of(issues: Sequence[Document]) -> tuple[str, str]:
    """The first issue's code, and what all of them say."""
    if not issues:
        return "", ""
    said = " / ".join(required(issue, "message", str) for issue in issues)
    return required(issues[0], "code", str), said[:WORDS_LIMIT]


def readings_of(refs: Sequence[ItemRef], answer: MallAnswer) -> list[StockReading]:
    """From a search by SKU: what it does not list is not there."""
    with document_in(answer.response) as document:
        items = {word(item, "sku"): item for item in listed(document, "items")}
        return [stock_of(ref, answer.at, items.get(ref.item_code)) for ref in refs]


def reading_of(ref: ItemRef, answer: MallAnswer) -> StockReading:
    """From the answer about one SKU, which is a 404 for a SKU that is not there."""
    if answer.response.status_code == HTTPStatus.NOT_FOUND:
        return stock_of(ref, answer.at, None)
    with document_in(answer.response) as item:
        return stock_of(ref, answer.at, item)


def stock_of(ref: ItemRef, at: MallTime, item: Document | None) -> StockReading:
    """A listing with only AMAZON_* channels is fulfilled by Amazon; those carry no quantity."""
    if item is None:
        return StockReading(ref, at, found=False)
    rows = objects(item, "fulfillmentAvailability")
    channels = {word(row, "fulfillmentChannelCode"): row for row in rows}
    own = channels.pop(OWN_CHANNEL, None)
    return StockReading(
        ref,
        at,
        quantity=optional_count(own or {}, "quantity"),
        fulfilled_by_mall=own is None and any(map(stored_at_amazon, channels)),
        fields=fields_in(part(item, "attributes")),
    )


def fields_in(attributes: Document) -> dict[str, str]:
    """The fields that travel with stock, as the channel DEFAULT shows them."""
    own = (
        row
        for row in objects(attributes, AVAILABILITY)
        if row.get("fulfillment_channel_code") == OWN_CHANNEL
    )
    return {
        key: str(row[key])
        for row in own
        for key in (LEAD_TIME, RESTOCK_DATE)
        if row.get(key) is not None
    }
