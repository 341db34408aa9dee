"""Rakuten's orders: searchOrder finds numbers, getOrder tells them (the mall's fact sheet, §4).

Of an order only number, time, progress, codes and units are read; buyers and addresses, which getOrder always
sends, are never touched nor quoted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from domain.model.errors import MallRefused
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus, OrderWindow
from integrations.http import reading
from integrations.jst import first_second, last_second_before, read_time

from .answers import Fault, faults, faults_in, whole, word

PLACED = 1
OLDEST_FIRST = {"sortColumn": 1, "sortDirection": 1}
DETAIL_VERSION = 8
ORDERS_PER_PAGE = 100
REACHABLE = 15_000
DELETED = 1
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%z"

STATUS: Mapping[int, OrderStatus] = {
    100: OrderStatus.HOLDS,  # to be confirmed
    200: OrderStatus.HOLDS,  # at Rakuten; may fail payment and end in 900
    300: OrderStatus.HOLDS,  # to be shipped
    400: OrderStatus.HOLDS,  # a change awaits confirmation
    500: OrderStatus.SHIPPED,
    600: OrderStatus.SHIPPED,  # payment under way
    700: OrderStatus.SHIPPED,  # paid
    800: OrderStatus.HOLDS,  # a cancel awaits confirmation
    900: OrderStatus.RELEASED,
}


@dataclass(frozen=True, slots=True)
class Found:
    numbers: tuple[str, ...]
    total: int
    last: bool


def search_body(window: OrderWindow, page: int) -> dict[str, object]:
    """Of every status: Rakuten has no "changed since"."""
    return {
        "dateType": PLACED,
        "startDatetime": first_second(window.since).strftime(TIME_FORMAT),
        "endDatetime": last_second_before(window.until).strftime(TIME_FORMAT),
        "PaginationRequestModel": {
            "requestRecordsAmount": ORDERS_PER_PAGE,
            "requestPage": page,
            "SortModelList": [OLDEST_FIRST],
        },
    }


def detail_body(numbers: Sequence[str]) -> dict[str, object]:
    return {"orderNumberList": list(numbers), "version": DETAIL_VERSION}


def found(response: httpx.Response, page: int) -> Found:
    """Raises MallRefused for an ERROR on HTTP 200, and when more is hit than Rakuten lets anyone page through."""
    with reading(response, personal=True):
        body = response.json()
        refuse(faults_in(body))
        numbers = tuple(word(number) for number in body["orderNumberList"])
        paging = body["PaginationResponseModel"]
        total = whole(paging["totalRecordsAmount"]) if paging else 0
    if total > REACHABLE:
        raise MallRefused(f"{total} orders lie in the window; ask for {REACHABLE} at most.")
    return Found(numbers, total, last=not numbers or page * ORDERS_PER_PAGE >= total)


def refuse(found_wrong: Sequence[Fault]) -> None:
    for fault in found_wrong:
        raise MallRefused(
            "Rakuten refused the request.", mall_code=fault.code, mall_message=fault.message
        )


def told(
    response: httpx.Response, numbers: Sequence[str]
) -> tuple[tuple[MallOrder, ...], dict[str, str]]:
    """The orders asked for, oldest first, and why each of the others could not be read. An ERROR beside no order at
    all is about the request and raises MallRefused."""
    with reading(response, personal=True):
        models = {
            word(each["orderNumber"]): each for each in response.json()["OrderModelList"] or ()
        }
    if numbers and not models:
        refuse(faults(response))
    orders: list[MallOrder] = []
    unreadable: dict[str, str] = {}
    for number in numbers:
        try:
            orders.append(order_of(models[number]))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            unreadable[number] = _why(error, number in models)
    return tuple(sorted(orders, key=lambda order: order.placed_at)), unreadable


def _why(error: Exception, was_answered: bool) -> str:
    """Says what was missing, never a value: it might be a buyer's."""
    if not was_answered:
        return "Rakuten did not answer this order."
    missing = f" {error}" if isinstance(error, KeyError) else ""
    return f"The order is not as documented ({type(error).__name__}{missing})."


def order_of(model: Mapping[str, Any]) -> MallOrder:
    return MallOrder(
        number=word(model["orderNumber"]),
        placed_at=read_time(model["orderDatetime"]),
        status=STATUS[whole(model["orderProgress"])],
        lines=tuple(lines_of(model)),
    )


def lines_of(model: Mapping[str, Any]) -> Iterator[MallOrderLine]:
    """Lines that the shop deleted are gone: their units are no longer wanted."""
    for package in model["PackageModelList"]:
        for item in package["ItemModelList"]:
            if item.get("deleteItemFlag") != DELETED:
                yield line_of(item)


def line_of(item: Mapping[str, Any]) -> MallOrderLine:
    """The stock key is manageNumber with the first SKU's variantId, which orders before the SKU migration lack."""
    skus = item.get("SkuModelList") or [{}]
    ref = ItemRef(word(item["manageNumber"]), str(skus[0].get("variantId") or ""))
    units = whole(item["units"])
    if units < 0:
        raise ValueError("units below 0")
    return MallOrderLine(ref, units, line_id=str(item.get("itemDetailId") or ""))
