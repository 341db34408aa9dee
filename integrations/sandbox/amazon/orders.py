"""Orders 2026-01-01: searchOrders and getOrder, over the mall's books (amazon sheet §4).

A purchase is PENDING until its payment clears, after the shop's setting `pending` (seconds at speed 1, PENDING_LASTS
when unset), and UNSHIPPED from then on. The list never reaches into the last two minutes (at speed 1).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import paging
from integrations.sandbox.amazon.mall import PENDING, UNSHIPPED
from integrations.sandbox.amazon.order_views import DATASETS, fulfilled_by, view
from integrations.sandbox.amazon.wire import (
    answer,
    invalid_input,
    marketplaces,
    moment,
    not_found,
    one_of,
    operation,
    shown,
    whole,
)
from integrations.sandbox.core import Call, Core, Mall, endpoint
from integrations.sandbox.ledger import Order

SEARCH = operation("searchOrders", "orders", 0.0056, 20)
GET = operation("getOrder", "orders", 0.5, 30)

PENDING_LASTS = 1800.0
ENDS = ("After", "Before")
NEWEST = 120.0
"""Seconds: `…Before` has to be that old, and is that old when it is not given."""

LARGEST_PAGE = 100
TOKEN_LIVES = timedelta(hours=24)
PAGE_NOT_VALID = (
    "The paginationToken you have submitted is not valid. "
    "All parameters must match the original request except maxResultsPerPage."
)
STATUSES = frozenset(
    {
        "PENDING_AVAILABILITY",
        PENDING,
        UNSHIPPED,
        "PARTIALLY_SHIPPED",
        "SHIPPED",
        "CANCELLED",
        "UNFULFILLABLE",
    }
)
FULFILLERS = frozenset({"MERCHANT", "AMAZON"})


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/orders/2026-01-01/orders"
    return [
        Route(path, endpoint(core, mall, SEARCH, search_orders), methods=["GET"]),
        Route(f"{path}/{{number}}", endpoint(core, mall, GET, get_order), methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class Window:
    """Times of the kind `created` or `lastUpdated`, with both bounds inside."""

    by: str
    after: datetime
    before: datetime

    @classmethod
    def read(cls, call: Call) -> Self:
        """Raises Refused unless there is exactly one of the two, with bounds in order and old enough."""
        by, other = ("created", "lastUpdated")
        if f"{by}After" not in call.request.query_params:
            by, other = other, by
        after, before = moment(call.request, f"{by}After"), moment(call.request, f"{by}Before")
        newest = call.now - call.core.clock.delay(NEWEST)
        if after is None or any(f"{other}{end}" in call.request.query_params for end in ENDS):
            raise invalid_input()
        if before is not None and not after <= before <= newest:
            raise invalid_input()
        return cls(by, after, before or newest)

    def time_of(self, order: Order) -> datetime:
        at = order.placed_at if self.by == "created" else order.updated_at
        return at.replace(microsecond=0)

    def holds(self, order: Order) -> bool:
        return self.after <= self.time_of(order) <= self.before


async def search_orders(call: Call) -> Response:
    """Oldest first. The token keeps the window's end and the last order shown, so that pages never overlap."""
    marketplaces(call.request, required=False)
    datasets = one_of(call.request, "includedData", DATASETS)
    size = whole(call.request, "maxResultsPerPage", LARGEST_PAGE, most=LARGEST_PAGE)
    window, last = _asked(call)
    rest = _found(call, window, after=last)
    body: dict[str, Any] = {"orders": [view(call, order, datasets) for order in rest[:size]]}
    body[f"{window.by}Before"] = shown(window.before)
    if len(rest) > size:
        body["pagination"] = {"nextToken": _next_token(call, window, rest[size - 1])}
    return answer(call, body)


Place = tuple[float, str]
"""Where an order stands in the list: its time and its number."""


def _place(window: Window, order: Order) -> Place:
    return (window.time_of(order).timestamp(), order.number)


def _found(call: Call, window: Window, after: Place | None) -> list[Order]:
    """What the query asks for beyond this place, oldest first."""
    wanted = _wanted(call)
    found = [order for order in _in_window(call, window) if wanted(call, order)]
    found.sort(key=lambda order: _place(window, order))
    return [order for order in found if after is None or _place(window, order) > after]


def _asked(call: Call) -> tuple[Window, Place | None]:
    """The window, and the place where the last page ended."""
    window = Window.read(call)
    token = call.request.query_params.get("paginationToken")
    return _carried_on(call, window, token) if token else (window, None)


def _next_token(call: Call, window: Window, last: Order) -> str:
    kept = {"of": _question(call), "at": call.now.timestamp(), "last": _place(window, last)}
    return paging.sealed(kept | {"before": window.before.isoformat()})


def _carried_on(call: Call, window: Window, token: str) -> tuple[Window, Place]:
    kept = paging.opened(token)
    if kept is None or kept.get("of") != _question(call):
        raise invalid_input(PAGE_NOT_VALID)
    if call.now.timestamp() - kept["at"] > TOKEN_LIVES.total_seconds():
        raise invalid_input(PAGE_NOT_VALID)
    at, number = kept["last"]
    return replace(window, before=datetime.fromisoformat(kept["before"])), (at, number)


def _question(call: Call) -> str:
    return paging.question(call.request, "paginationToken", "maxResultsPerPage", "includedData")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the query; an empty one lets all pass."""

    statuses: frozenset[str]
    fulfillers: frozenset[str]

    def __call__(self, call: Call, order: Order) -> bool:
        if self.statuses and order.status not in self.statuses:
            return False
        return not self.fulfillers or fulfilled_by(call, order) in self.fulfillers


def _wanted(call: Call) -> Wanted:
    statuses = one_of(call.request, "fulfillmentStatuses", STATUSES)
    return Wanted(frozenset(statuses), frozenset(one_of(call.request, "fulfilledBy", FULFILLERS)))


async def get_order(call: Call) -> Response:
    datasets = one_of(call.request, "includedData", DATASETS)
    order = call.ledger.listed(call.shop, call.request.path_params["number"])
    if order is None:
        raise not_found("The requested order was not found.")
    return answer(call, {"order": view(call, _cleared(call, order), datasets)})


def _in_window(call: Call, window: Window) -> list[Order]:
    """The orders in the seller's list, those whose payment has cleared by now moved on."""
    since = window.after if window.by == "created" else None
    orders = (_cleared(call, order) for order in call.ledger.orders(call.shop, placed_since=since))
    return [order for order in orders if window.holds(order)]


def _cleared(call: Call, order: Order) -> Order:
    lasts = float(call.shop.settings.get("pending", PENDING_LASTS))
    cleared_at = order.placed_at + call.core.clock.delay(lasts)
    if order.status != PENDING or cleared_at > call.now:
        return order
    cleared = replace(order, status=UNSHIPPED, updated_at=max(cleared_at, order.updated_at))
    call.ledger.save_order(call.shop, cleared)
    return cleared
