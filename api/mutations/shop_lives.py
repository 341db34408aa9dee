"""利用店舗設定・連携解除 Shops taken into use and out of it, and given up."""

import strawberry

from api.context import Context
from api.fields import optional
from api.load import node, nodes
from api.mutations.edge import answered, answered_list, row_id, row_ids, user_errors
from api.mutations.inputs import KEY
from api.shops import Shop
from api.user_errors import UserError
from domain.services import disconnecting, shops_in_use
from domain.store.database import Tx


@strawberry.input(description="利用店舗設定: the shops that take part.")
class SetShopsInUseInput:
    shop_ids: list[strawberry.ID] = strawberry.field(
        description="All that are in use from now on, at most 100. The others are neither read nor written, their "
        "listings differ from nothing, and both of their switches go off."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of the shops in use.")
class SetShopsInUsePayload:
    shops: list[Shop] = answered_list(
        "The shops that changed. One that came into use stands still until `startSync`."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.input(
    description="連携解除: a shop that is given up. The mall keeps its pages and their numbers."
)
class DisconnectShopInput:
    id: strawberry.ID = strawberry.field(description="Which shop.")
    delete_listings: bool = strawberry.field(
        description="True: its listings are deleted. False: they can still be read by id, unlinked; no list shows them."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a shop that was to be given up.")
class DisconnectShopPayload:
    shop: Shop | None = answered(
        "The shop, DISCONNECTED: its secrets are erased, its name is free again, its orders and logs still name it."
    )
    user_errors: list[UserError] = user_errors()


async def set_shops_in_use(
    tx: Tx, context: Context, input: SetShopsInUseInput
) -> SetShopsInUsePayload:
    asked = row_ids(input.shop_ids, "Shop", "shop_ids")
    changed = await shops_in_use.set_shops_in_use(
        tx, context.viewer.actor, asked, now=context.now()
    )
    return SetShopsInUsePayload(shops=nodes("Shop", [shop.id for shop in changed]))


async def disconnect_shop(
    tx: Tx, context: Context, input: DisconnectShopInput
) -> DisconnectShopPayload:
    shop_id = row_id(input.id, "Shop", "id")
    await disconnecting.disconnect(
        tx,
        context.viewer.actor,
        shop_id,
        delete_listings=input.delete_listings,
        now=context.now(),
    )
    return DisconnectShopPayload(shop=node("Shop", shop_id))
