"""反映 Sending numbers to the malls."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import ReflectJob
from api.load import node
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import answered, row_ids, said, user_errors
from api.mutations.inputs import KEY, ListingSelection, ProductSelection
from api.mutations.selecting import chosen
from api.previews import ReflectPreview
from api.user_errors import UserError
from domain.services import previews, reflect_requests
from domain.store.database import Tx


@strawberry.input(description="What to reflect: products or listings, or both.")
class ReflectInput:
    products: ProductSelection | None = optional(
        "Every listing that shows one of these products, those of sets made of them included."
    )
    listings: ListingSelection | None = optional("These listings.")
    shop_ids: list[strawberry.ID] | None = optional("Only at these shops; null: at all.")
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a reflect.")
class ReflectPayload:
    job: ReflectJob | None = answered(
        "The job to follow. What may not be sent now is `held` in it, and is no error."
    )
    preview: ReflectPreview | None = answered(PREVIEW)
    user_errors: list[UserError] = user_errors()


async def reflect(tx: Tx, context: Context, input: ReflectInput) -> ReflectPayload:
    asked = said(input.shop_ids)
    shop_ids = None if asked is None else row_ids(asked, "Shop", "shop_ids")
    products = await chosen(tx, input.products, "Product", "products")
    listings = await chosen(tx, input.listings, "Listing", "listings")
    seen = await previews.of_reflect(
        tx, product_ids=products.ids, listing_ids=listings.ids, shop_ids=shop_ids
    )
    preview = await confirmed(
        tx,
        context,
        seen,
        input.confirmation_token,
        "reflect",
        products=input.products,
        listings=input.listings,
        shop_ids=asked,
    )
    job_id = await reflect_requests.reflect(
        tx,
        context.viewer.actor,
        product_ids=products.meant,
        listing_ids=listings.meant,
        shop_ids=shop_ids,
        now=context.now(),
    )
    return ReflectPayload(job=node("Job", job_id), preview=preview)
