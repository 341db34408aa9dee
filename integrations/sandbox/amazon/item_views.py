"""How a listing of the books reads at Amazon: the data sets of the model's Item (amazon sheet §3)."""

from collections.abc import Callable, Iterable
from typing import Any

from integrations.sandbox.amazon.patches import BY_AMAZON, BY_MERCHANT, SIBLINGS
from integrations.sandbox.amazon.wire import MARKETPLACE, shown
from integrations.sandbox.ledger import Item

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
