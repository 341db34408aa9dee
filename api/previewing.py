"""先に見る The query that looks at a change before it is made."""

from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from api.context import Context, Info
from api.fields import Cost, Requires, optional
from api.mutations.confirming import offered
from api.mutations.edge import row_ids, said
from api.mutations.inputs import ListingSelection, ProductSelection
from api.mutations.selecting import chosen
from api.mutations.switches import PARTS, SHOPS
from api.previews import ReflectPreview
from domain.model.previews import Preview
from domain.model.roles import Permission
from domain.model.shops import SyncPart
from domain.services import previews
from domain.store.database import Tx


@strawberry.input(description="連動開始: as `startSync` takes it.")
class PreviewStartInput:
    shop_ids: list[strawberry.ID] | None = optional(SHOPS)
    parts: list[SyncPart] | None = optional(PARTS)


@strawberry.input(description="Which change is meant: one of these.", one_of=True)
class PreviewReflectInput:
    products: ProductSelection | None = optional("`reflect` of these products.")
    listings: ListingSelection | None = optional("`reflect` of these listings.")
    start: PreviewStartInput | None = optional("`startSync`.")
    full_sync_shop_ids: list[strawberry.ID] | None = optional("`startFullSync` of these shops.")
    sync_on: ListingSelection | None = optional("`setListingSync` with `sync: true`, reflected.")
    unlink: ListingSelection | None = optional("`unlinkListings`.")
    delete_products: ProductSelection | None = optional("`deleteProducts`.")


@dataclass(frozen=True, slots=True)
class Looked:
    """A preview, and of which change it is, as its mutation says it."""

    preview: Preview
    change: str
    what: dict[str, Any]


Meant = Annotated[PreviewReflectInput, strawberry.argument(description="What is meant.")]
OnlyAt = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(
        description="With `products` or `listings`: only at these shops, at most 100; null: at all."
    ),
]


@strawberry.field(
    description="先に見る: what a change would do to the malls, and the token that lets it through where it does much. "
    "Nothing is changed.",
    directives=[Requires(permission=Permission.REFLECT), Cost(weight=50)],
)
async def preview_reflect(
    info: Info, input: Meant, shop_ids: OnlyAt = strawberry.UNSET
) -> ReflectPreview | None:
    """Raises DomainError NOT_FOUND, TOO_MANY, SELECTION_GREW or INVALID_VALUE."""
    context: Context = info.context
    async with context.db.transaction(context.viewer.account_id) as tx:
        looked = await _looked(tx, input, said(shop_ids))
        return await offered(tx, context, looked.preview, looked.change, **looked.what)


async def _looked(tx: Tx, input: PreviewReflectInput, shop_ids: Any) -> Looked:
    if said(input.start) is not None:
        return await _start(tx, input.start)
    if said(input.full_sync_shop_ids) is not None:
        return await _full_sync(tx, input.full_sync_shop_ids)
    if said(input.sync_on) is not None:
        ids = (await chosen(tx, input.sync_on, "Listing", "sync_on")).ids
        return Looked(await previews.of_sync_on(tx, ids), "sync_on", {"listings": input.sync_on})
    if said(input.unlink) is not None:
        ids = (await chosen(tx, input.unlink, "Listing", "unlink")).ids
        return Looked(await previews.of_unlink(tx, ids), "unlink", {"listings": input.unlink})
    if said(input.delete_products) is not None:
        ids = (await chosen(tx, input.delete_products, "Product", "delete_products")).ids
        return Looked(
            await previews.of_delete(tx, ids), "delete", {"products": input.delete_products}
        )
    return await _reflect(tx, input, shop_ids)


async def _reflect(tx: Tx, input: PreviewReflectInput, shop_ids: Any) -> Looked:
    products = await chosen(tx, input.products, "Product", "products")
    listings = await chosen(tx, input.listings, "Listing", "listings")
    seen = await previews.of_reflect(
        tx,
        product_ids=products.ids,
        listing_ids=listings.ids,
        shop_ids=None if shop_ids is None else row_ids(shop_ids, "Shop", "shop_ids"),
    )
    what = {"products": input.products, "listings": input.listings, "shop_ids": shop_ids}
    return Looked(seen, "reflect", what)


async def _start(tx: Tx, input: Any) -> Looked:
    named = said(input.shop_ids)
    shop_ids = None if named is None else row_ids(named, "Shop", "start", "shop_ids")
    seen = await previews.of_start(tx, shop_ids, said(input.parts) or ())
    return Looked(seen, "start", {"shop_ids": input.shop_ids, "parts": input.parts})


async def _full_sync(tx: Tx, named: Any) -> Looked:
    shop_ids = row_ids(named, "Shop", "full_sync_shop_ids")
    return Looked(await previews.of_full_sync(tx, shop_ids), "full_sync", {"shop_ids": named})
