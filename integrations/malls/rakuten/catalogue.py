"""Rakuten's items/search (the mall's fact sheet, §5): one item holds up to 400 SKUs, and no quantities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from domain.model.malls import ItemRef, MallListing, StockReading
from integrations.http import reading

from .answers import word

ITEMS_PER_PAGE = 100
FIRST = "*"


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """`cursor` asks for the page after this one; None when this is the last."""

    listings: tuple[MallListing, ...]
    cursor: str | None


def search_params(cursor: str, hits: int = ITEMS_PER_PAGE) -> dict[str, str]:
    return {"hits": str(hits), "cursorMark": cursor}


def page_of(response: httpx.Response, cursor: str) -> CataloguePage:
    """A cursor that stands still, or a page without items, is the end."""
    with reading(response):
        body = response.json()
        items = [result["item"] for result in body["results"]]
        following = body.get("nextCursorMark")
        listings = tuple(listing for item in items for listing in listings_of(item))
    return CataloguePage(listings, following if items and following != cursor else None)


def listings_of(item: Mapping[str, Any]) -> Iterable[MallListing]:
    variants: Mapping[str, Mapping[str, Any]] = item["variants"]
    return [listing_of(item, variant_id, variant) for variant_id, variant in variants.items()]


def listing_of(item: Mapping[str, Any], variant_id: str, variant: Mapping[str, Any]) -> MallListing:
    manage_number = word(item["manageNumber"])
    restocks = variant.get("restockOnCancel")
    return MallListing(
        ItemRef(manage_number, variant_id),
        name=" ".join([item.get("title") or "", *(variant.get("selectorValues") or {}).values()]),
        keys={
            "merchantDefinedSkuId": variant.get("merchantDefinedSkuId") or "",
            "variantId": variant_id,
            "manageNumber": manage_number,
            "itemNumber": item.get("itemNumber") or "",
        },
        unlimited=item.get("unlimitedInventoryFlag") is True,
        mall_restocks=restocks if isinstance(restocks, bool) else None,
        fields=_fields(item, variant),
    )


def _fields(item: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, str]:
    """What the merchant set at Rakuten that bears on stock; switches read `true` or `false`."""
    switches = {key: variant.get(key) for key in ("restockOnCancel", "backOrderFlag", "hidden")}
    fields = {key: str(value).lower() for key, value in switches.items() if value is not None}
    return fields | {"itemType": str(item.get("itemType") or "NORMAL")}


def with_quantities(
    listings: Sequence[MallListing], readings: Iterable[StockReading]
) -> list[MallListing]:
    """Listings and readings in the same order."""
    return [
        replace(listing, quantity=reading_of_it.quantity)
        for listing, reading_of_it in zip(listings, readings, strict=True)
    ]
