"""確保在庫グループ Groups of products that share a reserve."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import ReflectJob
from api.load import node
from api.mutations.edge import answered, named, said, user_errors
from api.mutations.inputs import KEY, REFLECT, VERSION, ProductSelection
from api.mutations.selecting import chosen
from api.products import ProductGroup
from api.user_errors import UserError
from domain.services import groups
from domain.store.database import Tx


@strawberry.input(description="確保在庫グループ: a group, and who joins or leaves it.")
class SaveProductGroupInput:
    id: strawberry.ID | None = optional("Which group; left out: a new one.")
    name: str = strawberry.field(description="Its name, unique in the account.")
    reserve: int = strawberry.field(
        description="確保在庫: units of each of its products that malls are never offered."
    )
    add_products: ProductSelection | None = optional(
        "Products that join it, from other groups too."
    )
    remove_products: ProductSelection | None = optional("Products that leave it.")
    expected_version: int | None = optional(VERSION)
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a group.")
class SaveProductGroupPayload:
    product_group: ProductGroup | None = answered("The group as it is now.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


async def save_group(
    tx: Tx, context: Context, input: SaveProductGroupInput
) -> SaveProductGroupPayload:
    joining = await chosen(tx, input.add_products, "Product", "add_products")
    leaving = await chosen(tx, input.remove_products, "Product", "remove_products")
    saved = await groups.save_group(
        tx,
        context.viewer.actor,
        named(input.id, "ProductGroup", "id"),
        name=input.name,
        reserve=input.reserve,
        add=joining.ids,
        remove=leaving.ids,
        expected_version=said(input.expected_version),
        reflect=said(input.reflect),
        now=context.now(),
    )
    return SaveProductGroupPayload(
        product_group=node("ProductGroup", saved.id), job=node("Job", saved.job_id)
    )
