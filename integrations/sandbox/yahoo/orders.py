"""orderList, orderInfo and orderCount (fact sheet §4).

XML in, XML out; only the fields that were asked for come back. Orders enter the list at their publication time, which
may lie after their order time. Every order call is subject to the application's approval, its registered source
addresses, and the session that ends 12 hours after consent unless a valid signature comes along.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from xml.etree.ElementTree import Element

from starlette.responses import Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Order, OrderLine
from integrations.sandbox.yahoo import errors, signature
from integrations.sandbox.yahoo.mall import TOKENS, life
from integrations.sandbox.yahoo.markup import (
    Value,
    answer,
    around,
    element,
    request,
    result_set,
    text_at,
)

JST = timezone(timedelta(hours=9))
TIME_FORMAT = "%Y%m%d%H%M%S"
SESSION_LIFE = timedelta(hours=12)
MAX_RESULTS = 2000
DEFAULT_RESULTS = 10
AUTHORIZED = "authorized"
SORTS: Mapping[str, Callable[[Order], datetime]] = {
    "order_time": lambda order: order.placed_at,
    "publication_time": lambda order: order.visible_at,
    "last_update_time": lambda order: order.updated_at,
}
CONDITIONS = frozenset(
    {
        "OrderId",
        "OrderTimeFrom",
        "OrderTimeTo",
        "PublicationTimeFrom",
        "PublicationTimeTo",
        "OrderStatus",
        "IsSeen",
        "IsActive",
        "PayStatus",
        "ShipStatus",
    }
)


def order_fields(order: Order) -> dict[str, Value]:
    """What an order has on its own level. A cancelled order is no longer active."""
    said = order.details
    return {
        "OrderId": order.number,
        "ParentOrderId": said.get("parent"),
        "ChildOrderId": said.get("children"),
        "IsSplit": bool(said.get("parent") or said.get("children")),
        "IsSeen": bool(said.get("seen", False)),
        "IsActive": order.open,
        "OrderTime": _shown_time(order.placed_at),
        "PublicationTime": _shown_time(order.visible_at),
        "LastUpdateTime": _shown_time(order.updated_at),
        "OrderStatus": order.status,
        "CancelReason": said.get("cancel_reason"),
        "IsYahooAuctionOrder": "auction_id" in said,
        "YahooAuctionId": said.get("auction_id"),
    }


def pay_fields(order: Order) -> dict[str, Value]:
    return {"PayStatus": order.details.get("pay_status", 0), "BillLastName": "矢風"}


def ship_fields(order: Order) -> dict[str, Value]:
    return {"ShipStatus": order.details.get("ship_status", 1), "ShipLastName": "矢風"}


def line_fields(number: int, line: OrderLine) -> dict[str, Value]:
    return {
        "LineId": number,
        "ItemId": line.item_code,
        "SubCode": line.variant_code,
        "Title": line.name,
        "Quantity": line.quantity,
        "OriginalNum": line.ordered,
        "UnitPrice": 1000,
    }


def _listed(order: Order) -> dict[str, Value]:
    return order_fields(order) | pay_fields(order) | ship_fields(order)


async def order_list(call: Call) -> Response:
    headers = _admitted(call)
    asked = _own_request(call)
    condition, fields = _condition(asked), _fields(asked, "Search")
    found = [order for order in _published(call, condition) if _matches(order, condition)]
    key, descending = _sort(text_at(asked, "Search/Sort"))
    found.sort(key=key, reverse=descending)
    first = _whole(asked, "Start", 1)
    most = min(_whole(asked, "Result", DEFAULT_RESULTS), MAX_RESULTS)
    search = element("Search", {"TotalCount": len(found)})
    for index, order in enumerate(found[first - 1 : first - 1 + most], first):
        search.append(element("OrderInfo", {"Index": index, **_only(_listed(order), fields)}))
    return answer(_ok(search), headers=headers)


async def order_info(call: Call) -> Response:
    headers = _admitted(call)
    asked = _own_request(call)
    number, fields = text_at(asked, "Target/OrderId"), _fields(asked, "Target")
    order = call.ledger.listed(call.shop, number)
    if order is None:
        return errors.not_existing(number)
    return answer(result_set([_ok(_detail(order, fields))]), headers=headers)


async def order_count(call: Call) -> Response:
    """How many orders are new, reserved and on hold."""
    headers = _admitted(call)
    if call.request.query_params.get("sellerId") != call.shop.seller:
        return errors.by_code("od90101")
    orders = [order for order in call.ledger.orders(call.shop) if order.open]
    unseen = [order for order in orders if not order.details.get("seen", False)]
    counts = {
        "NewOrder": len(unseen),
        "NewReserve": sum(order.status == "1" for order in unseen),
        "Holding": sum(order.status == "3" for order in orders),
    }
    return answer(around("ResultSet", _ok(element("Count", counts))), headers=headers)


def _ok(content: Element) -> Element:
    result = element("Result", {"Status": "OK"})
    result.append(content)
    return result


def _admitted(call: Call) -> dict[str, str]:
    """The header that says what became of the signature. Raises Refused with px-04303, px-04306 or px-04102."""
    settings, client = call.shop.settings, call.request.client
    if not settings.get("order_api", True):
        raise Refused(errors.by_code("px-04303"))
    addresses = settings.get("allowed_addresses")
    if addresses is not None and (client is None or client.host not in addresses):
        raise Refused(errors.by_code("px-04306"))
    status = signature.status_of(call.request, call.shop, call.now)
    if status != AUTHORIZED and _session_is_over(call):
        raise Refused(errors.by_code("px-04102"))
    return {signature.STATUS: status} if status else {}


def _session_is_over(call: Call) -> bool:
    _, _, token = call.request.headers.get("authorization", "").partition(" ")
    known = call.ledger.record(call.shop.mall, TOKENS, token)
    if known is None:
        return True
    consented = datetime.fromisoformat(known["consented_at"])
    return consented + life(call.shop, "session_life", SESSION_LIFE) <= call.now


def _own_request(call: Call) -> Element:
    root = request(call.body)
    if root is None or root.tag != "Req" or text_at(root, "SellerId") != call.shop.seller:
        raise Refused(errors.by_code("od90101"))
    return root


def _condition(asked: Element) -> dict[str, str]:
    node = asked.find("Search/Condition")
    found = {} if node is None else {child.tag: (child.text or "").strip() for child in node}
    if not found or not set(found) <= CONDITIONS:
        raise Refused(errors.by_code("od90101"))
    return found


def _published(call: Call, condition: Mapping[str, str]) -> list[Order]:
    since, until = condition.get("OrderTimeFrom"), condition.get("OrderTimeTo")
    return call.ledger.orders(
        call.shop,
        placed_since=_time(since) if since else None,
        placed_until=_time(until) + timedelta(seconds=1) if until else None,
    )


def _matches(order: Order, condition: Mapping[str, str]) -> bool:
    every = _listed(order)
    equal = (
        _same(condition[name], every[name])
        for name in ("OrderId", "OrderStatus", "IsSeen", "IsActive", "PayStatus", "ShipStatus")
        if name in condition
    )
    return all(equal) and all(
        _between(moment, condition.get(f"{name}From"), condition.get(f"{name}To"))
        for name, moment in (("OrderTime", order.placed_at), ("PublicationTime", order.visible_at))
    )


def _same(wanted: str, value: Value) -> bool:
    """Any of the values wanted, comma separated."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text in wanted.split(",")


def _between(moment: datetime, since: str | None, until: str | None) -> bool:
    """Both ends inclusive, in whole seconds."""
    at = moment.replace(microsecond=0)
    return (not since or _time(since) <= at) and (not until or at <= _time(until))


def _time(text: str) -> datetime:
    """YYYYMMDDHHMMSS, Japanese time."""
    if len(text) != 14 or not text.isdigit():
        raise Refused(errors.by_code("od90101"))
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=JST)
    except ValueError as error:
        raise Refused(errors.by_code("od90101")) from error


def _sort(text: str) -> tuple[Callable[[Order], datetime], bool]:
    name = text.lstrip("+-") or "order_time"
    if name not in SORTS:
        raise Refused(errors.by_code("od90101"))
    return SORTS[name], text.startswith("-")


def _whole(asked: Element, name: str, default: int) -> int:
    text = text_at(asked, f"Search/{name}") or str(default)
    if not text.isdigit() or int(text) < 1:
        raise Refused(errors.by_code("od90101"))
    return int(text)


def _fields(asked: Element, parent: str) -> set[str]:
    """The fields asked for; at least one."""
    fields = {name.strip() for name in text_at(asked, f"{parent}/Field").split(",")} - {""}
    if not fields:
        raise Refused(errors.by_code("od90101"))
    return fields


def _detail(order: Order, fields: set[str]) -> Element:
    info = element("OrderInfo", _only(order_fields(order), fields))
    for tag, values in (("Pay", pay_fields(order)), ("Ship", ship_fields(order))):
        info.append(element(tag, _only(values, fields)))
    for number, line in enumerate(order.lines, 1):
        info.append(element("Item", _only(line_fields(number, line), fields)))
    return info


def _only(values: Mapping[str, Value], fields: set[str]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in fields}


def _shown_time(moment: datetime) -> str:
    return moment.astimezone(JST).replace(microsecond=0).isoformat()
