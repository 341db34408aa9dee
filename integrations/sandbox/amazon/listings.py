"""Listings Items 2021-08-01: patchListingsItem, getListingsItem, searchListingsItems (amazon sheet §2, §3).

An ACCEPTED patch is queued and applied after the shop's setting `apply_delay` (seconds at speed 1, APPLY_DELAY when
unset). An unknown SKU is accepted too and leaves an incomplete listing (models#2797, #4402). The fault "partial"
makes a submission INVALID.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import paging
from integrations.sandbox.amazon.patches import (
    BY_AMAZON,
    BY_MERCHANT,
    SIBLINGS,
    effect_of,
    issues_of,
    read_patches,
    refusal_issue,
)
from integrations.sandbox.amazon.wire import (
    MARKETPLACE,
    answer,
    invalid_input,
    json_object,
    listed,
    marketplaces,
    moment,
    not_found,
    one_of,
    operation,
    shown,
    unauthorized,
    whole,
)
from integrations.sandbox.core import Call, Core, Mall, endpoint
from integrations.sandbox.ledger import Item, StockWrite

APPLY_DELAY = 60.0
PAGE_SIZE, LARGEST_PAGE = 10, 20
MOST_FOUND = 1000
"""Paging stops there, whatever matches (§3)."""

PATCH = operation("patchListingsItem", "stock", 5, 5, writes=True)
GET = operation("getListingsItem", "stock", 5, 10)
SEARCH = operation("searchListingsItems", "catalogue", 5, 5)

DATASETS = frozenset(
    {
        "summaries",
        "attributes",
        "issues",
        "offers",
        "fulfillmentAvailability",
        "procurement",
        "relationships",
        "productTypes",
    }
)
SORTS: Mapping[str, Callable[[Item], str]] = {
    "sku": lambda item: item.item_code,
    "createdDate": lambda item: item.created_at.isoformat(timespec="microseconds"),
    "lastUpdatedDate": lambda item: item.updated_at.isoformat(timespec="microseconds"),
}


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    one, many = (
        "/listings/2021-08-01/items/{seller}/{sku:path}",
        "/listings/2021-08-01/items/{seller}",
    )
    return [
        Route(one, endpoint(core, mall, PATCH, patch_item), methods=["PATCH"]),
        Route(one, endpoint(core, mall, GET, get_item), methods=["GET"]),
        Route(many, endpoint(core, mall, SEARCH, search_items), methods=["GET"]),
    ]


async def patch_item(call: Call) -> Response:
    sku = _sku(call)
    marketplaces(call.request)
    preview = _is_preview(call)
    patches = read_patches(json_object(call))
    issues = issues_of(patches)
    if not issues and call.refuses((sku, "")):
        issues = [refusal_issue()]
    if not issues and not preview:
        effect = effect_of(patches, channel_of(call.ledger.item(call.shop, (sku, ""))))
        submit(call, [StockWrite((sku, ""), effect.quantity, attributes=effect.attributes)])
    return answer(call, _submission(sku, issues, preview))


def submit(call: Call, writes: Sequence[StockWrite]) -> None:
    call.write(writes, apply_delay=float(call.shop.settings.get("apply_delay", APPLY_DELAY)))


def _is_preview(call: Call) -> bool:
    mode = call.request.query_params.get("mode")
    if mode not in (None, "VALIDATION_PREVIEW"):
        raise invalid_input("Invalid 'mode' provided.")
    return mode is not None


def _submission(sku: str, issues: Sequence[Mapping[str, Any]], preview: bool) -> dict[str, Any]:
    status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
    return {"sku": sku, "status": status, "submissionId": secrets.token_hex(16), "issues": issues}


async def get_item(call: Call) -> Response:
    sku = _sku(call)
    marketplaces(call.request)
    datasets = one_of(call.request, "includedData", DATASETS) or ["summaries"]
    item = call.ledger.item(call.shop, (sku, ""))
    if item is None:
        raise not_found(f"SKU '{sku}' not found in marketplace {MARKETPLACE}")
    return answer(call, view(item, datasets))


async def search_items(call: Call) -> Response:
    """The items on one page of those that match; a page token carries on where its page ended."""
    _own(call)
    marketplaces(call.request)
    datasets = one_of(call.request, "includedData", DATASETS) or ["summaries"]
    size = whole(call.request, "pageSize", PAGE_SIZE, most=LARGEST_PAGE)
    found = _sorted(call, filter(_wanted(call), call.ledger.items(call.shop)))
    start = _start(call)
    page = found[start : min(start + size, MOST_FOUND)]
    return answer(
        call,
        {
            "numberOfResults": len(found),
            "pagination": _pagination(call, start, size, len(found)),
            "items": [view(item, datasets) for item in page],
        },
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query asks for; None asks for everything."""

    skus: frozenset[str] | None
    updated_after: datetime | None
    updated_before: datetime | None

    def __call__(self, item: Item) -> bool:
        if self.skus is not None and item.item_code not in self.skus:
            return False
        if self.updated_after is not None and item.updated_at < self.updated_after:
            return False
        return self.updated_before is None or item.updated_at <= self.updated_before


def _wanted(call: Call) -> Wanted:
    """Raises Refused: identifiers and their type come together, and SKU is the type simulated here."""
    skus = listed(call.request, "identifiers", at_most=20)
    kind = call.request.query_params.get("identifiersType")
    if bool(skus) != (kind is not None) or kind not in (None, "SKU"):
        raise invalid_input("Invalid 'identifiersType' provided.")
    after, before = (
        moment(call.request, "lastUpdatedAfter"),
        moment(call.request, "lastUpdatedBefore"),
    )
    return Wanted(frozenset(skus) if skus else None, after, before)


def _sorted(call: Call, items: Iterable[Item]) -> list[Item]:
    sort = call.request.query_params.get("sortBy", "lastUpdatedDate")
    order = call.request.query_params.get("sortOrder", "DESC")
    if sort not in SORTS or order not in ("ASC", "DESC"):
        raise invalid_input("Invalid 'sortBy' or 'sortOrder' provided.")
    return sorted(items, key=SORTS[sort], reverse=order == "DESC")


def _start(call: Call) -> int:
    token = call.request.query_params.get("pageToken")
    if token is None:
        return 0
    kept = paging.opened(token)
    if kept is None or kept.get("of") != _question(call):
        raise invalid_input("Invalid 'pageToken' provided.")
    return int(kept["start"])


def _pagination(call: Call, start: int, size: int, found: int) -> dict[str, str]:
    pages = {"previousToken": start - size, "nextToken": start + size}
    reachable = min(found, MOST_FOUND)
    return {
        name: paging.sealed({"of": _question(call), "start": max(to, 0)})
        for name, to in pages.items()
        if -size < to < reachable
    }


def _question(call: Call) -> str:
    return paging.question(call.request, "pageToken", "pageSize", "includedData")


def channel_of(item: Item | None) -> str:
    """Who fulfils this listing: DEFAULT (the merchant) or AMAZON_JP."""
    if item is None:
        return BY_MERCHANT
    return str(item.attributes.get("fulfillment_channel_code", BY_MERCHANT))


def rows_of(item: Item) -> list[dict[str, Any]]:
    """The listing's `fulfillment_availability`; a row that Amazon fulfils has no quantity."""
    channels = [channel_of(item), item.attributes.get("left_channel_code")]
    return [_row(item, str(channel)) for channel in channels if channel]


def _row(item: Item, channel: str) -> dict[str, Any]:
    row: dict[str, Any] = {"fulfillment_channel_code": channel}
    if channel != BY_AMAZON:
        row["quantity"] = max(item.shown, 0)
        row |= {name: item.attributes[name] for name in SIBLINGS if name in item.attributes}
    return row | {"marketplace_id": MARKETPLACE}


def is_incomplete(item: Item) -> bool:
    """Made by a patch on a SKU that has no page."""
    return bool(item.attributes.get("ghost", False))


def view(item: Item, datasets: Iterable[str]) -> dict[str, Any]:
    """The model's Item with the data sets asked for; those not simulated are empty."""
    made: dict[str, Callable[[Item], Any]] = {
        "summaries": _summaries,
        "attributes": lambda item: {"fulfillment_availability": rows_of(item)},
        "issues": _issues,
        "fulfillmentAvailability": _availability,
        "productTypes": lambda _: [{"marketplaceId": MARKETPLACE, "productType": "PRODUCT"}],
    }
    return {"sku": item.item_code} | {
        name: made[name](item) if name in made else [] for name in datasets
    }


def _summaries(item: Item) -> list[dict[str, Any]]:
    summary = {
        "marketplaceId": MARKETPLACE,
        "asin": asin_of(item),
        "productType": "PRODUCT",
        "conditionType": "new_new",
        "status": _status(item),
        "itemName": item.name,
        "createdDate": shown(item.created_at),
        "lastUpdatedDate": shown(item.updated_at),
    }
    return [summary]


def _status(item: Item) -> list[str]:
    if is_incomplete(item):
        return []
    return ["BUYABLE", "DISCOVERABLE"] if item.shown > 0 else ["DISCOVERABLE"]


def asin_of(item: Item) -> str:
    """The seller's own, else one made from the SKU."""
    made = f"B{sum(ord(c) * 31**i for i, c in enumerate(item.item_code)) % 10**9:09d}"
    return str(item.attributes.get("asin", made))


def _issues(item: Item) -> list[dict[str, Any]]:
    if not is_incomplete(item):
        return []
    message = "The listing is incomplete: it has an offer and no product."
    return [
        {
            "code": "90220",
            "message": message,
            "severity": "ERROR",
            "categories": ["MISSING_ATTRIBUTE"],
        }
    ]


def _availability(item: Item) -> list[dict[str, Any]]:
    names = {"fulfillment_channel_code": "fulfillmentChannelCode", "quantity": "quantity"}
    return [{names[name]: row[name] for name in names if name in row} for row in rows_of(item)]


def _own(call: Call) -> None:
    """Raises Refused when the path names another seller than the token's."""
    if call.request.path_params["seller"] != call.shop.seller:
        raise unauthorized()


def _sku(call: Call) -> str:
    """The path's SKU. Raises Refused (403) for a slash that was not encoded (models#4429)."""
    _own(call)
    sku: str = call.request.path_params["sku"]
    sent = call.request.scope.get("raw_path", b"").count(b"/")
    if sent != call.request.scope["path"].count("/") - sku.count("/"):
        raise unauthorized()
    return sku
