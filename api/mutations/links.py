"""紐づけ Linking listings to products, and taking them apart again."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import BulkChange, ReflectJob
from api.links import Link
from api.listings import Listing
from api.load import node, nodes
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import (
    answered,
    answered_list,
    check_count,
    row_id,
    said,
    user_errors,
)
from api.mutations.inputs import KEY, REFLECT, ListingSelection
from api.mutations.selecting import begin, chosen
from api.previews import ReflectPreview
from api.products import Product
from api.user_errors import UserError, user_error
from domain.services import links, previews
from domain.store.database import Tx


@strawberry.input(description="A listing and the product it is to belong to.")
class LinkPair:
    listing_id: strawberry.ID = strawberry.field(
        description="The listing; one that is linked elsewhere moves."
    )
    product_id: strawberry.ID = strawberry.field(description="The product.")


@strawberry.input(description="紐づけ: at most 100 pairs.")
class LinkListingsInput:
    pairs: list[LinkPair] = strawberry.field(description="Each listing once.")
    copy_page: bool | None = optional(
        "コピーページ: these pages are meant beside others of their shop on the same product."
    )
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of links.")
class LinkListingsPayload:
    links: list[Link] = answered_list("The links that were made.")
    products: list[Product] = answered_list("Products whose listings are others by that.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="紐づけ解除: listings to take off their products.")
class UnlinkListingsInput:
    listings: ListingSelection = strawberry.field(
        description="Which; no import links them again by itself."
    )
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of listings taken off their products.")
class UnlinkListingsPayload:
    listings: list[Listing] = answered_list("The listings, unlinked.")
    products: list[Product] = answered_list("Products whose listings are fewer by that.")
    job: BulkChange | None = answered("The job to follow, where more than 100 are meant.")
    preview: ReflectPreview | None = answered(PREVIEW)
    user_errors: list[UserError] = user_errors()


async def link_listings(tx: Tx, context: Context, input: LinkListingsInput) -> LinkListingsPayload:
    check_count(input.pairs, "pairs")
    change = await links.link(
        tx,
        context.viewer.actor,
        [
            (
                row_id(pair.listing_id, "Listing", "pairs", str(place), "listing_id"),
                row_id(pair.product_id, "Product", "pairs", str(place), "product_id"),
            )
            for place, pair in enumerate(input.pairs)
        ],
        copy_page=bool(said(input.copy_page)),
        reflect=said(input.reflect),
        now=context.now(),
    )
    return LinkListingsPayload(
        links=nodes("Link", change.listing_ids),
        products=nodes("Product", sorted(change.products)),
        job=node("Job", change.job_id),
        user_errors=[user_error(each.error, context.viewer.locale) for each in change.refused],
    )


async def unlink_listings(
    tx: Tx, context: Context, input: UnlinkListingsInput
) -> UnlinkListingsPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    seen = await previews.of_unlink(tx, asked.ids)
    preview = await confirmed(
        tx, context, seen, input.confirmation_token, "unlink", listings=input.listings
    )
    if not asked.at_once:
        job_id = await begin(tx, context, "UNLINK_LISTINGS", asked)
        return UnlinkListingsPayload(job=node("Job", job_id), preview=preview)
    change = await links.unlink(tx, context.viewer.actor, asked.ids, now=context.now())
    return UnlinkListingsPayload(
        listings=nodes("Listing", change.listing_ids),
        products=nodes("Product", sorted(change.products)),
        preview=preview,
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )
