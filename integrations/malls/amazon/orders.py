"""Orders as the Orders API 2026-01-01 shows them (the mall's fact sheet, §4).

Amazon lowers the quantity when an order is placed, pending ones included, and gives it back when an order is
cancelled before shipment. Only fulfilment and cancellation are asked for beside the items: nothing of the buyer.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from domain.model.errors import MallMalformed
from domain.model.malls import (
    ItemRef,
    MallOrder,
    MallOrderLine,
    OrderPage,
    OrderStatus,
    OrderWindow,
)
from integrations.http import MallAnswer

from .answers import (
    Document,
    Unreadable,
    count,
    document_in,
    listed,
    moment,
    optional,
    optional_count,
    part,
    required,
    word,
)
from .errors import first_error

ORDERS_PATH = "/orders/2026-01-01/orders"
INCLUDED = "FULFILLMENT,CANCELLATION"
PAGE_SIZE = 100
REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)

STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "PENDING_AVAILABILITY": OrderStatus.HOLDS,
        "PENDING": OrderStatus.HOLDS,
        "UNSHIPPED": OrderStatus.HOLDS,
        "PARTIALLY_SHIPPED": OrderStatus.HOLDS,
        "SHIPPED": OrderStatus.SHIPPED,
        "CANCELLED": OrderStatus.RELEASED,
        "UNFULFILLABLE": OrderStatus.RELEASED,
    }
)


def changed_in(window: OrderWindow, marketplace_id: str) -> dict[str, str]:
    """Both ends are inclusive at Amazon, and the later one must be two minutes old: the windows' lag sees to that."""
    return {
        "marketplaceIds": marketplace_id,
        "lastUpdatedAfter": iso(window.since),
        "lastUpdatedBefore": iso(window.until),
        "includedData": INCLUDED,
        "maxResultsPerPage": str(PAGE_SIZE),
    }


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order_path(number: str) -> str:
    return f"{ORDERS_PATH}/{quote(number, safe='')}"


def page_of(answer: MallAnswer) -> tuple[OrderPage, str | None]:
    """One page of a search, and the token of the next. Amazon tells no total."""
    with document_in(answer.response, quoted=False) as document:
        documents = {word(order, "orderId"): order for order in listed(document, "orders")}
        following = optional(part(document, "pagination"), "nextToken", str) or None
    readers = {number: partial(order_of, number, each) for number, each in documents.items()}
    orders, unreadable = sorted_out(readers)
    page = OrderPage(orders, answer.at.earliest, last=following is None, unreadable=unreadable)
    return page, following


def page_of_each(answers: Mapping[str, MallAnswer]) -> OrderPage:
    """From the answers about single orders, by number; all count as observed when the first was asked for."""
    readers = {number: partial(order_in, number, each) for number, each in answers.items()}
    orders, unreadable = sorted_out(readers)
    observed_at = min(answer.at.earliest for answer in answers.values())
    return OrderPage(orders, observed_at, len(answers), last=True, unreadable=unreadable)


def order_in(number: str, answer: MallAnswer) -> MallOrder:
    """The order that was asked for by number. Raises Unreadable, in Amazon's words when it does not show it."""
    if not answer.response.is_success:
        raise Unreadable(": ".join(first_error(answer.response)))
    try:
        with document_in(answer.response, quoted=False) as document:
            order = required(document, "order", dict)
    except MallMalformed as error:
        raise Unreadable(error.message) from error
    return order_of(number, order)


def sorted_out(
    readers: Mapping[str, Callable[[], MallOrder]],
) -> tuple[tuple[MallOrder, ...], dict[str, str]]:
    """Orders, oldest change first, and by number why others could not be read."""
    orders: list[MallOrder] = []
    unreadable: dict[str, str] = {}
    for number, read in readers.items():
        try:
            orders.append(read())
        except Unreadable as error:
            unreadable[number] = str(error)
    return tuple(sorted(orders, key=last_change)), unreadable


def last_change(order: MallOrder) -> datetime:
    return order.updated_at or order.placed_at


def order_of(number: str, document: Document) -> MallOrder:
    """Raises Unreadable when a status is new to us, an item names no SKU, or a living order has no items."""
    fulfillment = required(document, "fulfillment", dict)
    status = status_of(fulfillment)
    by_amazon = optional(fulfillment, "fulfilledBy", str) == "AMAZON"
    items = listed(document, "orderItems")
    if not items and status is not OrderStatus.RELEASED:
        raise Unreadable("orderItems is empty")
    return MallOrder(
        number=number,
        placed_at=moment(document, "createdTime"),
        status=status,
        lines=tuple(line_of(item, status, fulfilled_by_mall=by_amazon) for item in items),
        updated_at=moment(document, "lastUpdatedTime"),
    )


def status_of(fulfillment: Document) -> OrderStatus:
    name = word(fulfillment, "fulfillmentStatus")
    if name not in STATUSES:
        raise Unreadable(f"fulfillmentStatus {name!r} is not known")
    return STATUSES[name]


def line_of(item: Document, status: OrderStatus, *, fulfilled_by_mall: bool) -> MallOrderLine:
    return MallOrderLine(
        ref=ItemRef(word(required(item, "product", dict), "sellerSku")),
        quantity=units_of(item, status),
        line_id=optional(item, "orderItemId", str) or "",
        fulfilled_by_mall=fulfilled_by_mall,
        mall_restocks=None if fulfilled_by_mall else restocks(item, status),
    )


def units_of(item: Document, status: OrderStatus) -> int:
    """Units that the line takes. A line cancelled within a living order keeps only what was or will be shipped; a
    cancelled order tells what it once ordered, or 0."""
    cancelled = part(part(item, "cancellation"), "cancellationExecution")
    if cancelled and status is not OrderStatus.RELEASED:
        shipping = part(item, "fulfillment")
        return sum(
            optional_count(shipping, key) or 0
            for key in ("quantityFulfilled", "quantityUnfulfilled")
        )
    return count(item, "quantityOrdered")


def restocks(item: Document, status: OrderStatus) -> bool | None:
    """Amazon takes units back on its counter until they are shipped; not known for a line shipped in part."""
    shipping = part(item, "fulfillment")
    shipped = optional_count(shipping, "quantityFulfilled")
    if shipped is None:
        return status is not OrderStatus.SHIPPED
    if shipped == 0:
        return True
    return None if optional_count(shipping, "quantityUnfulfilled") else False
