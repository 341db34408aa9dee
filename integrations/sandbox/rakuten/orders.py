"""RakutenPayOrderAPI: searchOrder and getOrder (fact sheet §4).

Times read `2026-02-01T00:00:00+0900`; no other form is taken. There is no "updated since".
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Order, OrderLine
from integrations.sandbox.rakuten.mall import JST, gateway_error, message, switched_on

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0900")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
MAX_SPAN = timedelta(days=63)
MAX_AGE = timedelta(days=730)
ORDERED = 1
MAX_PER_PAGE = 1000
DEFAULT_PER_PAGE = 30
MAX_REACHABLE = 15_000
MAX_DETAILS = 100
VERSIONS = range(3, 11)
FIRST_SKU_VERSION = 7
SEARCH = "ORDER_EXT_API_SEARCH_ORDER"
GET = "ORDER_EXT_API_GET_ORDER"
MISSING = "ERROR_009"
MALFORMED = "ERROR_011"


async def search_order(call: Call) -> Response:
    body = _opened(call, SEARCH)
    start, end = _window(call, body)
    size, page = _paging(body)
    until = end + timedelta(seconds=1)
    orders = call.ledger.orders(call.shop, placed_since=start, placed_until=until)
    found = [order for order in orders if _matches(order, body, start, end)]
    if _descending(body):
        found.reverse()
    if not found:
        return _found_nothing()
    numbers = [order.number for order in found[(page - 1) * size : page * size]]
    return _found(numbers, len(found), size, page)


async def get_order(call: Call) -> Response:
    body = _opened(call, GET)
    numbers, version = _numbers(body), _version(body)
    orders = [_order_shown(call, order, version) for order in _existing(call, numbers)]
    code, words = ("INFO_101", "Success") if orders else ("INFO_102", "No order was found")
    return JSONResponse(
        {
            "MessageModelList": [message("INFO", f"{GET}_{code}", words)],
            "OrderModelList": orders,
            "version": version,
        }
    )


def _opened(call: Call, api: str) -> dict[str, Any]:
    """The JSON object sent. Raises Refused: 415 without charset, ES04-01 when not switched on, 400 otherwise."""
    switched_on(call)
    sent_as = call.request.headers.get("content-type", "").lower().replace(" ", "")
    if sent_as != "application/json;charset=utf-8":
        raise Refused(gateway_error("ES04-03"))
    try:
        body = json.loads(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _refused(api, MALFORMED, "The body is not a JSON object")
    return body


def _refused(api: str, code: str, words: str) -> Refused:
    messages = {"MessageModelList": [message("ERROR", f"{api}_{code}", words)]}
    nothing: dict[str, Any] = (
        {"orderNumberList": None, "PaginationResponseModel": None}
        if api == SEARCH
        else {"OrderModelList": None}
    )
    return Refused(JSONResponse(nothing | messages, 400))


def _window(call: Call, body: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """[start, end], both inclusive. The simulated orders carry the date of type 1 (ordered) only."""
    if _needed(SEARCH, body, "dateType") != ORDERED:
        raise _refused(SEARCH, MALFORMED, "dateType is invalid")
    start, end = _time(body, "startDatetime"), _time(body, "endDatetime")
    if not start <= end <= start + MAX_SPAN:
        raise _refused(SEARCH, MALFORMED, "The span must be 63 days or less")
    if start < call.now - MAX_AGE:
        raise _refused(SEARCH, MALFORMED, "startDatetime must be within the last 730 days")
    return start, end


def _needed(api: str, body: Mapping[str, Any], name: str) -> Any:
    if body.get(name) is None:
        raise _refused(api, MISSING, f"{name} is required")
    return body[name]


def _time(body: Mapping[str, Any], name: str) -> datetime:
    text = _needed(SEARCH, body, name)
    if not isinstance(text, str) or not TIME.fullmatch(text):
        raise _refused(SEARCH, MALFORMED, f"{name} is malformed")
    try:
        return datetime.strptime(text, TIME_FORMAT).astimezone(UTC)
    except ValueError as error:
        raise _refused(SEARCH, MALFORMED, f"{name} is malformed") from error


def _paging(body: Mapping[str, Any]) -> tuple[int, int]:
    """Records a page, and which page."""
    model = body.get("PaginationRequestModel") or {}
    if not isinstance(model, dict):
        raise _refused(SEARCH, MALFORMED, "PaginationRequestModel is malformed")
    size, page = model.get("requestRecordsAmount", DEFAULT_PER_PAGE), model.get("requestPage", 1)
    if not isinstance(size, int) or not 1 <= size <= MAX_PER_PAGE:
        raise _refused(SEARCH, MALFORMED, "requestRecordsAmount must be 1 to 1000")
    if not isinstance(page, int) or page < 1 or (page - 1) * size >= MAX_REACHABLE:
        raise _refused(SEARCH, MALFORMED, "requestPage is out of range")
    return size, page


def _descending(body: Mapping[str, Any]) -> bool:
    sorts = (body.get("PaginationRequestModel") or {}).get("SortModelList") or []
    return any(sort.get("sortDirection") == 2 for sort in sorts)


def _matches(order: Order, body: Mapping[str, Any], start: datetime, end: datetime) -> bool:
    at = order.placed_at.replace(microsecond=0)
    statuses, kinds = body.get("orderProgressList"), body.get("orderTypeList")
    return (
        start <= at <= end
        and (not statuses or int(order.status) in statuses)
        and (not kinds or order.details.get("order_type", 1) in kinds)
    )


def _found_nothing() -> Response:
    return JSONResponse(
        {
            "orderNumberList": [],
            "MessageModelList": [message("INFO", f"{SEARCH}_INFO_102", "No order was found")],
            "PaginationResponseModel": None,
        }
    )


def _found(numbers: list[str], total: int, size: int, page: int) -> Response:
    return JSONResponse(
        {
            "orderNumberList": numbers,
            "MessageModelList": [message("INFO", f"{SEARCH}_INFO_101", "Success")],
            "PaginationResponseModel": {
                "totalRecordsAmount": total,
                "totalPages": -(-total // size),
                "requestPage": page,
            },
        }
    )


def _numbers(body: Mapping[str, Any]) -> list[str]:
    numbers = _needed(GET, body, "orderNumberList")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= MAX_DETAILS:
        raise _refused(GET, MALFORMED, "orderNumberList must hold 1 to 100 numbers")
    return [str(number) for number in numbers]


def _version(body: Mapping[str, Any]) -> int:
    version = _needed(GET, body, "version")
    if version not in VERSIONS or isinstance(version, bool):
        raise _refused(GET, MALFORMED, "version is not supported")
    return int(version)


def _existing(call: Call, numbers: list[str]) -> list[Order]:
    """The orders by these numbers that the order list shows by now, in the order asked."""
    listed = (call.ledger.listed(call.shop, number) for number in numbers)
    return [order for order in listed if order is not None]


def _order_shown(call: Call, order: Order, version: int) -> dict[str, Any]:
    placed = order.placed_at.astimezone(JST)
    lines = [_line_shown(call, i, line, version) for i, line in enumerate(order.lines, 1)]
    return {
        "orderNumber": order.number,
        "orderProgress": int(order.status),
        "orderDatetime": placed.strftime(TIME_FORMAT),
        "orderType": order.details.get("order_type", 1),
        "OrdererModel": {"familyName": "楽天", "firstName": "花子", "city": "世田谷区"},
        "PackageModelList": [{"basketId": order.sequence, "ItemModelList": lines}],
        "ChangeReasonModelList": [],
    }


def _line_shown(call: Call, number: int, line: OrderLine, version: int) -> dict[str, Any]:
    """A removed line stays, flagged, with the units once bought; a cut one shows what is left."""
    item = call.ledger.item(call.shop, line.key)
    attributes = item.attributes if item else {}
    shown = {
        "itemDetailId": number,
        "itemId": 10_000_000 + number,
        "itemNumber": attributes.get("item_number", line.item_code),
        "manageNumber": line.item_code,
        "itemName": line.name,
        "units": line.quantity or line.ordered,
        "price": attributes.get("price", 1000),
        "selectedChoice": None,
        "inventoryType": 2 if line.variant_code else 1,
        "restoreInventoryFlag": int(bool(attributes.get("restock_on_cancel"))),
        "deleteItemFlag": int(line.quantity == 0),
    }
    return shown if version < FIRST_SKU_VERSION else shown | _sku(line, attributes)


def _sku(line: OrderLine, attributes: Mapping[str, Any]) -> dict[str, Any]:
    sku = {
        "variantId": line.variant_code,
        "merchantDefinedSkuId": attributes.get("merchant_sku"),
        "skuInfo": attributes.get("sku_info"),
    }
    return {"SkuModelList": [sku]}
