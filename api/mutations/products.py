"""商品 Products made, changed and deleted."""

from typing import cast

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import BulkChange, ReflectJob
from api.load import node
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import (
    answered,
    answered_list,
    given,
    named,
    said,
    user_errors,
)
from api.mutations.inputs import KEY, REFLECT, VERSION, ProductSelection
from api.mutations.selecting import begin, chosen
from api.nodes import global_id
from api.previews import ReflectPreview
from api.products import Product
from api.user_errors import UserError
from domain.services import previews, products
from domain.services.products import ProductFields
from domain.store.database import Tx


@strawberry.input(description="A product. What is left out stays as it is.")
class SaveProductInput:
    id: strawberry.ID | None = optional("Which product; left out: a new one, at total 0.")
    expected_version: int | None = optional(VERSION)
    code: str | None = optional("マスターコード; a new product needs one.")
    name: str | None = optional("商品名; imports do not change it afterwards.")
    managed: bool | None = optional("在庫管理する: its stock is kept and sent.")
    group_id: strawberry.ID | None = optional("確保在庫グループ; null: none.")
    reserve: int | None = optional("確保在庫; null: that of its group, else 0.")
    image_url: str | None = optional("Its image; null: none.")
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a product.")
class SaveProductPayload:
    product: Product | None = answered("The product as it is now.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="商品削除: products to take out.")
class DeleteProductsInput:
    products: ProductSelection = strawberry.field(description="Which.")
    with_listings: bool = strawberry.field(
        description="Take their listings out too; else these stay, unlinked. The malls keep both."
    )
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of products that were to be deleted.")
class DeleteProductsPayload:
    deleted_ids: list[strawberry.ID] = answered_list("The products that are gone.")
    job: BulkChange | None = answered("The job to follow, where more than 100 are meant.")
    preview: ReflectPreview | None = answered(PREVIEW)
    user_errors: list[UserError] = user_errors()


async def save_product(tx: Tx, context: Context, input: SaveProductInput) -> SaveProductPayload:
    saved = await products.save_product(
        tx,
        context.viewer.actor,
        named(input.id, "Product", "id"),
        expected_version=said(input.expected_version),
        reflect=said(input.reflect),
        now=context.now(),
        **_fields(input),
    )
    return SaveProductPayload(product=node("Product", saved.id), job=node("Job", saved.job_id))


async def delete_products(
    tx: Tx, context: Context, input: DeleteProductsInput
) -> DeleteProductsPayload:
    asked = await chosen(tx, input.products, "Product", "products")
    seen = await previews.of_delete(tx, asked.ids)
    preview = await confirmed(
        tx, context, seen, input.confirmation_token, "delete", products=input.products
    )
    if not asked.at_once:
        wanted = {"with_listings": input.with_listings}
        job_id = await begin(tx, context, "DELETE_PRODUCTS", asked, wanted)
        return DeleteProductsPayload(job=node("Job", job_id), preview=preview)
    deleted = await products.delete_products(
        tx,
        context.viewer.actor,
        asked.ids,
        with_listings=input.with_listings,
        now=context.now(),
    )
    return DeleteProductsPayload(
        deleted_ids=[global_id("Product", each) for each in deleted.ids],
        preview=preview,
        user_errors=asked.refusals(deleted.refused, context.viewer.locale),
    )


def _fields(input: SaveProductInput) -> ProductFields:
    """Null takes away what a product may lack; of the rest it says nothing."""
    needed = given(input, "code", "name", "managed")
    fields = {name: value for name, value in needed.items() if value is not None}
    fields |= given(input, "reserve", "image_url", "group_id")
    if "group_id" in fields:
        fields["group_id"] = named(input.group_id, "ProductGroup", "group_id")
    return cast(ProductFields, fields)
