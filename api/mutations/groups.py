"""確保在庫グループ Groups of products that share a reserve."""

from uuid import UUID

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import Job
from api.load import node
from api.mutations.edge import answered, named, said, user_errors
from api.mutations.inputs import KEY, REFLECT, VERSION, ProductSelection
from api.mutations.selecting import Chosen, begin, chosen
from api.products import ProductGroup
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE
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
    job: Job | None = answered(
        "The job to follow: a BulkChange where more than 100 products join or leave; else a ReflectJob, where reflecting "
        "was asked for."
    )
    user_errors: list[UserError] = user_errors()


async def save_group(
    tx: Tx, context: Context, input: SaveProductGroupInput
) -> SaveProductGroupPayload:
    joining = await chosen(tx, input.add_products, "Product", "add_products")
    leaving = await chosen(tx, input.remove_products, "Product", "remove_products")
    _check_one_job(joining, leaving)
    saved = await groups.save_group(
        tx,
        context.viewer.actor,
        named(input.id, "ProductGroup", "id"),
        name=input.name,
        reserve=input.reserve,
        add=joining.ids if joining.at_once else (),
        remove=leaving.ids if leaving.at_once else (),
        expected_version=said(input.expected_version),
        reflect=said(input.reflect),
        now=context.now(),
    )
    moving = await _move(tx, context, saved.id, input, joining, leaving)
    return SaveProductGroupPayload(
        product_group=node("ProductGroup", saved.id), job=node("Job", moving or saved.job_id)
    )


def _check_one_job(joining: Chosen, leaving: Chosen) -> None:
    """Raises DomainError TOO_MANY where both would have to be jobs."""
    if not (joining.at_once or leaving.at_once):
        raise DomainError(
            f"More than {AT_ONCE} join and more than {AT_ONCE} leave: send those that leave in a request of their own.",
            code="TOO_MANY",
            field=("remove_products",),
            most=AT_ONCE,
            count=len(leaving.ids),
        )


async def _move(
    tx: Tx,
    context: Context,
    group_id: UUID,
    input: SaveProductGroupInput,
    joining: Chosen,
    leaving: Chosen,
) -> UUID | None:
    """The job that moves those that are too many to be moved at once."""
    for asked, joins in ((joining, True), (leaving, False)):
        if not asked.at_once:
            wanted = {"group": str(group_id), "joins": joins, "reflect": said(input.reflect)}
            return await begin(tx, context, "MOVE_TO_GROUP", asked, wanted)
    return None
