"""Listings Items 2021-08-01: searchListingsItems, by SKU or by change, twenty on a page (amazon sheet §3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import paging
from integrations.sandbox.amazon.item_views import DATASETS, view
from integrations.sandbox.amazon.wire import (
    answer,
    invalid_input,
    listed,
    marketplaces,
    moment,
    one_of,
    operation,
    own,
    whole,
)
from integrations.sandbox.core import Call, Core, Mall, endpoint
from integrations.sandbox.ledger import Item

SEARCH = operation("searchListingsItems", "catalogue", 5, 5)
PAGE_SIZE, LARGEST_PAGE = 10, 20
MOST_FOUND = 1000
"""Paging stops there, whatever matches (§3)."""

SORTS: Mapping[str, Callable[[Item], str]] = {
    "sku": lambda item: item.item_code,
    "createdDate": lambda item: item.created_at.isoformat(timespec="microseconds"),
    "lastUpdatedDate": lambda item: item.updated_at.isoformat(timespec="microseconds"),
}


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/listings/2021-08-01/items/{seller}"
    return [Route(path, endpoint(core, mall, SEARCH, search_items), methods=["GET"])]


async def search_items(call: Call) -> Response:
    """The items on one page of those that match; a page token carries on where its page ended."""
    own(call)
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
