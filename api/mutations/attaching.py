"""一括更新: 取り扱いショップ Products attached to a shop."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import BulkChange
from api.listings import Listing
from api.load import node, nodes
from api.mutations.edge import answered, answered_list, at, row_id, user_errors
from api.mutations.inputs import KEY, ProductSelection
from api.mutations.selecting import begin, chosen
from api.user_errors import UserError
from domain.model.attaching import check_attaches
from domain.services import attaching, shops
from domain.services.shops import ShopGone
from domain.store.database import Tx


@strawberry.input(
    description="一括更新: products that a shop is to list, without any file of its mall."
)
class AttachListingsInput:
    shop_id: strawberry.ID = strawberry.field(
        description="The shop; a product's code must be enough to name a page of it."
    )
    products: ProductSelection = strawberry.field(description="Which products, sets among them.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(
    description="What became of products that were to be attached. Nothing is known of the malls' numbers yet: a reflect "
    "sends ours."
)
class AttachListingsPayload:
    listings: list[Listing] = answered_list("The listings that were made, linked.")
    job: BulkChange | None = answered("The job to follow, where more than 100 are meant.")
    user_errors: list[UserError] = user_errors()


async def attach_listings(
    tx: Tx, context: Context, input: AttachListingsInput
) -> AttachListingsPayload:
    shop_id = row_id(input.shop_id, "Shop", "shop_id")
    asked = await chosen(tx, input.products, "Product", "products")
    try:
        if not asked.at_once:
            shop = await shops.known(tx, shop_id)
            check_attaches(shop.mall, shop.match_key)
            wanted = {"shop": str(shop_id)}
            job_id = await begin(tx, context, "ATTACH_LISTINGS", asked, wanted)
            return AttachListingsPayload(job=node("Job", job_id))
        change = await attaching.attach(
            tx, context.viewer.actor, shop_id, asked.ids, now=context.now()
        )
    except ShopGone as error:
        raise at(error, "shop_id") from error
    return AttachListingsPayload(
        listings=nodes("Listing", change.listing_ids),
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )
