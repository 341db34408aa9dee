"""Yahoo's orders: orderList finds ids, orderInfo tells one (the mall's fact sheet, §4).

Only the fields named here are asked for: no buyer, no address.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, tostring

import httpx

from domain.model.errors import MallRefused
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus, OrderWindow
from domain.model.order_readings import LastRead, need_not_be_read
from integrations.http import reading
from integrations.jst import COMPACT, first_second, last_second_before, read_time

from .answers import document, optional, word
from .splits import Part

IDS_PER_LIST = 2000
MOST_IDS = 50_000
LIST_FIELDS = "OrderId,OrderTime,LastUpdateTime"
DETAIL_FIELDS = "OrderId,ParentOrderId,ChildOrderId,OrderTime,LastUpdateTime,OrderStatus,LineId,ItemId,SubCode,Quantity"
PLACED = "OrderTime"
PUBLISHED = "PublicationTime"
"""An order held for fraud checks enters the list when it is published, long after it was placed."""

STATUS: Mapping[str, OrderStatus] = {
    "0": OrderStatus.HOLDS,  # unpaid
    "1": OrderStatus.HOLDS,  # reserved
    "2": OrderStatus.HOLDS,  # processing
    "3": OrderStatus.HOLDS,  # on hold
    "4": OrderStatus.RELEASED,
    "5": OrderStatus.SHIPPED,
    "8": OrderStatus.HOLDS,  # accepted by the mall, meaning unseen: units that may be sold count as sold
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An order as the list has it. `updated_at` None: the list does not say."""

    placed_at: datetime
    updated_at: datetime | None


def list_body(seller_id: str, window: OrderWindow, clock: str, start: int) -> bytes:
    """`clock` says which time has to lie in the window: PLACED or PUBLISHED. Of every status."""
    search = Element("Search")
    _add(search, "Result", str(IDS_PER_LIST))
    _add(search, "Start", str(start))
    _add(search, "Sort", "+order_time")
    condition = SubElement(search, "Condition")
    _add(condition, f"{clock}From", first_second(window.since).strftime(COMPACT))
    _add(condition, f"{clock}To", last_second_before(window.until).strftime(COMPACT))
    _add(search, "Field", LIST_FIELDS)
    return _request(search, seller_id)


def info_body(seller_id: str, number: str) -> bytes:
    target = Element("Target")
    _add(target, "OrderId", number)
    _add(target, "Field", DETAIL_FIELDS)
    return _request(target, seller_id)


def _request(part: Element, seller_id: str) -> bytes:
    request = Element("Req")
    request.append(part)
    _add(request, "SellerId", seller_id)
    body: bytes = tostring(request, encoding="utf-8", xml_declaration=True)
    return body


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def listed(response: httpx.Response, read: int) -> tuple[dict[str, Entry], int]:
    """When each order of this part of the list was placed and updated, and how many the list has; `read` came before it. Raises
    MallRefused when they are more than can be read one by one."""
    with reading(response, personal=True):
        root = document(response)
        _assert_ok(root)
        total = int(word(root, "Search/TotalCount"))
        orders = {word(each, "OrderId"): _entry(each) for each in root.iter("OrderInfo")}
        if read < total and not orders:
            raise ValueError("the list ends before its count")
    if total > MOST_IDS:
        raise MallRefused(f"{total} orders lie in the window; ask for {MOST_IDS} at most.")
    return orders, total


def _entry(info: Element) -> Entry:
    updated = optional(info, "LastUpdateTime")
    return Entry(read_time(word(info, "OrderTime")), read_time(updated) if updated else None)


def sorted_out(
    entries: Mapping[str, Entry], last_read: Mapping[str, LastRead], asked_at: datetime
) -> tuple[list[str], tuple[str, ...]]:
    """Numbers of the orders to be read now, oldest first; and of those that are as they were read. Yahoo tells one order
    a call, one call a second (the mall's fact sheet, §6)."""
    unread, unchanged = [], []
    for number, entry in sorted(entries.items(), key=lambda each: (each[1].placed_at, each[0])):
        last = last_read.get(number)
        if not need_not_be_read(last, entry.updated_at, asked_at):
            unread.append(number)
        elif last is not None and last.is_sure:
            unchanged.append(number)
    return unread, tuple(unchanged)


def told(response: httpx.Response) -> Part:
    with reading(response, personal=True):
        root = document(response)
        _assert_ok(root.find("Result"))
        info = root.find("Result/OrderInfo")
        if info is None:
            raise LookupError("OrderInfo")
        children = re.split(r"[,\s]+", optional(info, "ChildOrderId"))
        return Part(order_of(info), optional(info, "ParentOrderId"), tuple(filter(None, children)))


def _assert_ok(result: Element | None) -> None:
    if result is None or word(result, "Status") != "OK":
        raise ValueError("Status is not OK")


def order_of(info: Element) -> MallOrder:
    entry = _entry(info)
    return MallOrder(
        number=word(info, "OrderId"),
        placed_at=entry.placed_at,
        status=STATUS[word(info, "OrderStatus")],
        lines=tuple(lines_of(info)),
        updated_at=entry.updated_at,
    )


def lines_of(info: Element) -> Iterator[MallOrderLine]:
    for item in info.iter("Item"):
        units = int(word(item, "Quantity"))
        if units < 0:
            raise ValueError("Quantity below 0")
        ref = ItemRef(word(item, "ItemId"), optional(item, "SubCode"))
        yield MallOrderLine(ref, units, line_id=optional(item, "LineId"))
