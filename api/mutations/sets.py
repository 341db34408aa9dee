"""セット商品 Sets made, changed, and made single products again."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import ReflectJob
from api.load import node, nodes
from api.mutations.edge import (
    answered,
    answered_list,
    check_count,
    named,
    refusals,
    row_id,
    row_ids,
    said,
    user_errors,
)
from api.mutations.inputs import KEY, REFLECT, VERSION
from api.products import Product
from api.user_errors import UserError
from domain.model.sets import SetPart
from domain.services import sets
from domain.store.database import Tx


@strawberry.input(description="構成品: how many of a product one set takes.")
class SetPartInput:
    product_id: strawberry.ID = strawberry.field(description="The part; no set itself.")
    count: int = strawberry.field(description="How many one set takes, from 1.")


@strawberry.input(description="セット商品: a set and all of its parts.")
class SaveSetItemInput:
    product_id: strawberry.ID | None = optional(
        "Which set, or a product at total 0 that becomes one; left out: a new one."
    )
    code: str | None = optional("マスターコード; a new set needs one.")
    name: str | None = optional("商品名.")
    parts: list[SetPartInput] = strawberry.field(
        description="構成品: these and no others, at most 100."
    )
    expected_version: int | None = optional(VERSION)
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a set.")
class SaveSetItemPayload:
    product: Product | None = answered("The set as it is now.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="セット解除: sets that become single products.")
class DeleteSetItemsInput:
    product_ids: list[strawberry.ID] = strawberry.field(description="Which, at most 100.")
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of sets that were to be single products.")
class DeleteSetItemsPayload:
    products: list[Product] = answered_list("The products, at total 0 of their own.")
    user_errors: list[UserError] = user_errors()


async def save_set(tx: Tx, context: Context, input: SaveSetItemInput) -> SaveSetItemPayload:
    saved = await sets.save_set(
        tx,
        context.viewer.actor,
        named(input.product_id, "Product", "product_id"),
        code=said(input.code),
        name=said(input.name),
        parts=_parts(input),
        expected_version=said(input.expected_version),
        reflect=said(input.reflect),
        now=context.now(),
    )
    return SaveSetItemPayload(product=node("Product", saved.id), job=node("Job", saved.job_id))


async def delete_sets(
    tx: Tx, context: Context, input: DeleteSetItemsInput
) -> DeleteSetItemsPayload:
    asked = row_ids(input.product_ids, "Product", "product_ids")
    refused = await sets.sets_to_singles(
        tx, context.viewer.actor, asked, reflect=said(input.reflect), now=context.now()
    )
    stay = {each.target_id for each in refused}
    return DeleteSetItemsPayload(
        products=nodes("Product", [each for each in asked if each not in stay]),
        user_errors=refusals(refused, asked, context.viewer.locale, "product_ids"),
    )


def _parts(input: SaveSetItemInput) -> list[SetPart]:
    check_count(input.parts, "parts")
    return [
        SetPart(row_id(part.product_id, "Product", "parts", str(place), "product_id"), part.count)
        for place, part in enumerate(input.parts)
    ]
