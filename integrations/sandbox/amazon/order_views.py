"""How an order of the books reads at Amazon: the model's Order with the data sets asked for (amazon sheet §4).

Of the data sets only CANCELLATION and FULFILLMENT are simulated: there are no buyers here. Each line is one order
item; a cancelled line's quantity is 0.
"""

from collections.abc import Iterable
from typing import Any

from integrations.sandbox.amazon.item_views import asin_of, channel_of
from integrations.sandbox.amazon.patches import BY_AMAZON
from integrations.sandbox.amazon.wire import MARKETPLACE, shown
from integrations.sandbox.core import Call
from integrations.sandbox.ledger import Order, OrderLine

DATASETS = frozenset(
    {
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    }
)

SALES_CHANNEL = {
    "channelName": "AMAZON",
    "marketplaceId": MARKETPLACE,
    "marketplaceName": "Amazon.co.jp",
}


def fulfilled_by(call: Call, order: Order) -> str:
    """AMAZON when Amazon ships its first line (an order is never shipped by both)."""
    item = call.ledger.item(call.shop, order.lines[0].key)
    return "AMAZON" if channel_of(item) == BY_AMAZON else "MERCHANT"


def view(call: Call, order: Order, datasets: Iterable[str]) -> dict[str, Any]:
    """The model's Order with the data sets asked for."""
    numbered = enumerate(order.lines, 1)
    seen: dict[str, Any] = {
        "orderId": order.number,
        "createdTime": shown(order.placed_at),
        "lastUpdatedTime": shown(order.updated_at),
        "salesChannel": SALES_CHANNEL,
        "orderItems": [_item(call, order, n, line, datasets) for n, line in numbered],
    }
    if "FULFILLMENT" in datasets:
        seen["fulfillment"] = _fulfillment(call, order)
    return seen


def _fulfillment(call: Call, order: Order) -> dict[str, str]:
    return {
        "fulfillmentStatus": order.status,
        "fulfilledBy": fulfilled_by(call, order),
        "fulfillmentServiceLevel": "STANDARD",
    }


def _item(
    call: Call, order: Order, number: int, line: OrderLine, datasets: Iterable[str]
) -> dict[str, Any]:
    left = line.quantity if order.open else 0
    seen: dict[str, Any] = {
        "orderItemId": f"{order.sequence:010d}{number:04d}",
        "quantityOrdered": left,
        "product": _product(call, line),
    }
    if "FULFILLMENT" in datasets:
        seen["fulfillment"] = _fulfilled(order, left)
    if "CANCELLATION" in datasets and not left:
        seen["cancellation"] = {"cancellationExecution": _execution(order)}
    return seen


def _product(call: Call, line: OrderLine) -> dict[str, str]:
    product = {"title": line.name, "sellerSku": line.item_code}
    item = call.ledger.item(call.shop, line.key)
    return product if item is None else product | {"asin": asin_of(item)}


def _execution(order: Order) -> dict[str, str]:
    reason = order.details.get("cancel_reason") or "BUYER_CANCELLED"
    return {"cancelledBy": "BUYER", "cancelReason": str(reason)}


def _fulfilled(order: Order, left: int) -> dict[str, int]:
    shipped = left if order.status == "SHIPPED" else 0
    return {"quantityFulfilled": shipped, "quantityUnfulfilled": left - shipped}
