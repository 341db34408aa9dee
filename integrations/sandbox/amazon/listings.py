"""Listings Items 2021-08-01: patchListingsItem and getListingsItem (amazon sheet §2, §3).

An ACCEPTED patch is queued and applied after the shop's setting `apply_delay` (seconds at speed 1, APPLY_DELAY when
unset). An unknown SKU is accepted too and leaves an incomplete listing (models#2797, #4402). The fault "partial"
makes a submission INVALID.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon.item_views import DATASETS, channel_of, view
from integrations.sandbox.amazon.patches import (
    Issue,
    Patch,
    effect_of,
    issues_of,
    read_patches,
    refusal_issue,
)
from integrations.sandbox.amazon.wire import (
    MARKETPLACE,
    answer,
    invalid_input,
    json_object,
    marketplaces,
    not_found,
    one_of,
    operation,
    own,
    unauthorized,
)
from integrations.sandbox.core import Call, Core, Mall, endpoint
from integrations.sandbox.ledger import StockWrite

APPLY_DELAY = 60.0

PATCH = operation("patchListingsItem", "stock", 5, 5, writes=True)
GET = operation("getListingsItem", "stock", 5, 10)


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/listings/2021-08-01/items/{seller}/{sku:path}"
    return [
        Route(path, endpoint(core, mall, PATCH, patch_item), methods=["PATCH"]),
        Route(path, endpoint(core, mall, GET, get_item), methods=["GET"]),
    ]


async def patch_item(call: Call) -> Response:
    sku = _sku(call)
    marketplaces(call.request)
    preview = _is_preview(call)
    patches = read_patches(json_object(call))
    issues = issues_with(call, sku, patches)
    if not issues and not preview:
        delay = float(call.shop.settings.get("apply_delay", APPLY_DELAY))
        call.write([write_of(call, sku, patches)], apply_delay=delay)
    return answer(call, _submission(sku, issues, preview))


def issues_with(call: Call, sku: str, patches: Sequence[Patch]) -> Sequence[Issue]:
    """What is wrong with the patches, else what the fault "partial" says of the item; empty when nothing is."""
    issues = issues_of(patches)
    return [refusal_issue()] if not issues and call.refuses((sku, "")) else issues


def write_of(call: Call, sku: str, patches: Sequence[Patch]) -> StockWrite:
    """What valid patches change in the books."""
    effect = effect_of(patches, channel_of(call.ledger.item(call.shop, (sku, ""))))
    return StockWrite((sku, ""), effect.quantity, attributes=effect.attributes)


def _is_preview(call: Call) -> bool:
    mode = call.request.query_params.get("mode")
    if mode not in (None, "VALIDATION_PREVIEW"):
        raise invalid_input("Invalid 'mode' provided.")
    return mode is not None


def _submission(sku: str, issues: Sequence[Issue], preview: bool) -> dict[str, Any]:
    status = "INVALID" if issues else "VALID" if preview else "ACCEPTED"
    return {"sku": sku, "status": status, "submissionId": secrets.token_hex(16), "issues": issues}


async def get_item(call: Call) -> Response:
    sku = _sku(call)
    marketplaces(call.request)
    datasets = one_of(call.request, "includedData", DATASETS) or ["summaries"]
    item = call.ledger.item(call.shop, (sku, ""))
    if item is None:
        raise not_found(f"SKU '{sku}' not found in marketplace {MARKETPLACE}")
    return answer(call, view(item, datasets))


def _sku(call: Call) -> str:
    """The path's SKU. Raises Refused (403) for a slash that was not encoded (models#4429)."""
    own(call)
    sku: str = call.request.path_params["sku"]
    sent = call.request.scope.get("raw_path", b"").count(b"/")
    if sent != call.request.scope["path"].count("/") - sku.count("/"):
        raise unauthorized()
    return sku
