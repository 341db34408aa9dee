"""別品番紐づけ Lines of the code table made, changed and deleted."""

import strawberry

from api.code_mappings import CodeMapping
from api.context import Context
from api.fields import optional
from api.listings import Listing
from api.load import nodes
from api.mutations.edge import (
    answered_list,
    at,
    check_count,
    refusals,
    row_id,
    row_ids,
    said,
    user_errors,
)
from api.mutations.inputs import KEY
from api.nodes import global_id
from api.user_errors import UserError
from domain.model.code_mappings import CodePair
from domain.services import code_mappings
from domain.services.shops import ShopGone
from domain.store.database import Tx

MOST_LINKED = 100


@strawberry.input(description="A line of the code table.")
class CodeMappingInput:
    mall_code: str = strawberry.field(
        description="The value of the shop's same-product key, exactly as the mall writes it."
    )
    product_code: str = strawberry.field(
        description="マスターコード: the code of the product; it may come later."
    )


@strawberry.input(description="別品番紐づけ: lines of one shop's code table.")
class SaveCodeMappingsInput:
    shop_id: strawberry.ID = strawberry.field(description="Whose codes they are.")
    save: list[CodeMappingInput] | None = optional(
        "Lines to make, or to change where the shop's code has one; at most 100, each code once."
    )
    delete_ids: list[strawberry.ID] | None = optional(
        "Lines to delete, at most 100; links made by them stay."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of lines of the code table.")
class SaveCodeMappingsPayload:
    code_mappings: list[CodeMapping] = answered_list("The lines that were made or changed.")
    deleted_ids: list[strawberry.ID] = answered_list("The lines that are gone.")
    listings: list[Listing] = answered_list(
        "Listings that are linked by these lines now, the first 100."
    )
    user_errors: list[UserError] = user_errors()


async def save_code_mappings(
    tx: Tx, context: Context, input: SaveCodeMappingsInput
) -> SaveCodeMappingsPayload:
    shop_id = row_id(input.shop_id, "Shop", "shop_id")
    lines = said(input.save) or []
    check_count(lines, "save")
    going = row_ids(said(input.delete_ids) or [], "CodeMapping", "delete_ids")
    try:
        saved = await code_mappings.save_mappings(
            tx,
            context.viewer.actor,
            shop_id,
            [CodePair(line.mall_code, line.product_code) for line in lines],
            going,
            now=context.now(),
        )
    except ShopGone as error:
        raise at(error, "shop_id") from error
    return SaveCodeMappingsPayload(
        code_mappings=nodes("CodeMapping", saved.ids),
        deleted_ids=[global_id("CodeMapping", each) for each in saved.deleted],
        listings=nodes("Listing", saved.listing_ids[:MOST_LINKED]),
        user_errors=refusals(saved.refused, going, context.viewer.locale, "delete_ids"),
    )
