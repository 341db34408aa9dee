"""棚卸 Totals as they were counted: many products at once, each with an outcome of its own."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from api.context import Context
from api.fields import described, optional
from api.jobs import ReflectJob
from api.load import node
from api.mutations.edge import (
    answered,
    answered_list,
    at,
    check_count,
    row_id,
    said,
    user_errors,
)
from api.mutations.inputs import KEY, REFLECT
from api.products import Product
from api.stock import StockMovement
from api.user_errors import UserError, user_error
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.stock import CountBasis
from domain.services import counting
from domain.services.counting import Counted
from domain.store.database import Tx

described(
    CountBasis,
    "What was counted.",
    ON_SHELF="実棚: all that lies there. What is sold and not shipped is taken off; orders placed before and fetched later "
    "still deduct.",
    FREE="引当済みを除く: what is free. Orders placed up to the moment of the count are taken off already, and never deduct "
    "again.",
)

FIELDS = {"NOT_FOUND": "product_id", "SET_HAS_NO_STOCK": "product_id"}
"""Where in its item an error belongs, if not to the number."""


@strawberry.input(description="How many there were of one product.")
class CountStockItem:
    product_id: strawberry.ID = strawberry.field(description="Of which product.")
    counted: int = strawberry.field(description="Units, from 0.")


@strawberry.input(description="棚卸: what was counted when, at most 100 products at once.")
class CountStockInput:
    items: list[CountStockItem] = strawberry.field(description="One for each product.")
    counted_at: datetime = strawberry.field(
        description="When it was counted, not when it is entered: what moved since stays on top. At most 366 days ago."
    )
    basis: CountBasis = strawberry.field(description="What was counted; nobody can guess it.")
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(
    description="What became of one item; the others are done whatever became of it. `result` = `counted` − `notShipped` + "
    "`movedSince`; all four are null on an error."
)
class CountResult:
    product: Product | None = answered("The product as it is now, also when refused.")
    movement: StockMovement | None = answered(
        "在庫変動: the line of its ledger; null when the total was so already, or on an error."
    )
    counted: int | None = answered("What was counted.")
    not_shipped: int | None = answered(
        "未出荷: units that lay there and were sold; 0 of a count of what is free."
    )
    moved_since: int | None = answered("What moved after the count; below 0: less.")
    result: int | None = answered("総在庫数: the total that this makes; below 0: oversold.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="What became of a count.")
class CountStockPayload:
    results: list[CountResult] = answered_list("One for each item, in their order.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


async def count_stock(tx: Tx, context: Context, input: CountStockInput) -> CountStockPayload:
    check_count(input.items, "items")
    change = await counting.count(
        tx,
        context.viewer.actor,
        _items(input.items),
        counted_at=input.counted_at,
        basis=input.basis,
        reflect=said(input.reflect),
        now=context.now(),
    )
    results = [
        _result(each, place, context.viewer.locale) for place, each in enumerate(change.results)
    ]
    return CountStockPayload(results=results, job=node("Job", change.job_id))


def _items(items: Sequence[CountStockItem]) -> list[Counted]:
    return [
        Counted(row_id(item.product_id, "Product", "items", str(place), "product_id"), item.counted)
        for place, item in enumerate(items)
    ]


def _result(each: counting.CountResult, place: int, locale: Locale) -> CountResult:
    result = CountResult(
        product=node("Product", each.product_id),
        movement=node("StockMovement", each.movement_id),
        user_errors=_errors(each.error, place, locale),
    )
    if each.sum is not None:
        result.counted = each.sum.counted
        result.not_shipped = each.sum.not_shipped
        result.moved_since = each.sum.moved_since
        result.result = each.sum.total
    return result


def _errors(error: DomainError | None, place: int, locale: Locale) -> list[UserError]:
    if error is None:
        return []
    field = FIELDS.get(error.code, "counted")
    return [user_error(at(error, "items", str(place), field), locale)]
