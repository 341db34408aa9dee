"""Item API 2.0: search and single get (fact sheet §5). No quantities inside: join with the inventory API."""

import base64
import binascii
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from starlette.responses import JSONResponse, Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Item
from integrations.sandbox.rakuten.mall import errors, shown_time, switched_on

MAX_HITS = 100
DEFAULT_HITS = 10
MAX_OFFSET = 10_000
FIRST_CURSOR = "*"

Variants = list[Item]
"""All SKUs of one manageNumber."""


async def search(call: Call) -> Response:
    """By `cursorMark` (sorted by manageNumber) or by `offset`. A finished walk answers its own cursor again."""
    switched_on(call)
    query = call.request.query_params
    hits = _whole(call, "hits", DEFAULT_HITS, MAX_HITS)
    offset = _whole(call, "offset", 0, MAX_OFFSET)
    found = [variants for variants in catalogue(call) if _matches(variants, query)]
    cursor = query.get("cursorMark")
    rest = found[offset:] if cursor is None else _behind(found, cursor)
    page = rest[:hits]
    answer = {"numFound": len(found), "offset": offset, "results": [_result(v) for v in page]}
    if cursor is not None:
        answer["nextCursorMark"] = _cursor(page[-1]) if page else cursor
    return JSONResponse(answer)


async def get_item(call: Call) -> Response:
    switched_on(call)
    code = call.request.path_params["manage_number"].lower()
    for variants in catalogue(call):
        if variants[0].item_code == code:
            return JSONResponse(_item(variants))
    return errors(404, ("GE0014", "Not Found", ""))


def catalogue(call: Call) -> list[Variants]:
    known = [item for item in call.ledger.items(call.shop) if not item.attributes.get("ghost")]
    return [list(variants) for _, variants in groupby(known, key=lambda item: item.item_code)]


def _matches(variants: Variants, query: Mapping[str, str]) -> bool:
    first = variants[0]
    updated = shown_time(max(item.updated_at for item in variants))
    return all(
        (
            query.get("manageNumber", first.item_code).lower() == first.item_code,
            "variantId" not in query
            or any(item.variant_code == query["variantId"] for item in variants),
            "merchantDefinedSkuId" not in query
            or any(_merchant_sku(item) == query["merchantDefinedSkuId"] for item in variants),
            "isHiddenItem" not in query or _flag(query["isHiddenItem"]) == _hidden(first),
            "isItemStockout" not in query
            or _flag(query["isItemStockout"]) == all(item.shown <= 0 for item in variants),
            query.get("updatedFrom", "") <= updated <= query.get("updatedTo", "9999"),
        )
    )


def _result(variants: Variants) -> dict[str, Any]:
    return {"item": _item(variants)}


def _item(variants: Variants) -> dict[str, Any]:
    first = variants[0]
    return {
        "manageNumber": first.item_code,
        "itemNumber": first.attributes.get("item_number", first.item_code),
        "title": first.name,
        "itemType": first.attributes.get("item_type", "NORMAL"),
        "hideItem": _hidden(first),
        "unlimitedInventoryFlag": bool(first.attributes.get("unlimited")),
        "variantSelectors": first.attributes.get("variant_selectors", []),
        "variants": {item.variant_code: _variant(item) for item in variants},
        "created": shown_time(min(item.created_at for item in variants)),
        "updated": shown_time(max(item.updated_at for item in variants)),
    }


def _variant(item: Item) -> dict[str, Any]:
    return {
        "merchantDefinedSkuId": _merchant_sku(item),
        "selectorValues": item.attributes.get("selector_values", {}),
        "restockOnCancel": bool(item.attributes.get("restock_on_cancel")),
        "backOrderFlag": bool(item.attributes.get("overdraft")),
        "normalDeliveryDateId": item.attributes.get("normal_delivery_date_id"),
        "backOrderDeliveryDateId": item.attributes.get("back_order_delivery_date_id"),
        "hidden": bool(item.attributes.get("sku_hidden")),
        "standardPrice": str(item.attributes.get("price", 1000)),
    }


def _merchant_sku(item: Item) -> str | None:
    sku = item.attributes.get("merchant_sku")
    return None if sku is None else str(sku)


def _hidden(item: Item) -> bool:
    return bool(item.attributes.get("hidden"))


def _flag(text: str) -> bool:
    return text == "true"


def _whole(call: Call, name: str, default: int, most: int) -> int:
    text = call.request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) > most:
        raise Refused(errors(400, ("IE0003", f"{name} is out of range", name)))
    return int(text)


def _cursor(variants: Variants) -> str:
    return base64.urlsafe_b64encode(variants[0].item_code.encode()).decode()


def _behind(found: list[Variants], cursor: str) -> list[Variants]:
    if cursor == FIRST_CURSOR:
        return found
    try:
        last = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(errors(400, ("IE0002", "Invalid cursorMark", "cursorMark"))) from error
    return [variants for variants in found if variants[0].item_code > last]
