"""在庫 Totals set and adjusted by hand: many cells at once, each with an outcome of its own."""

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
from domain.model.stock import AdjustReason
from domain.services import stock
from domain.services.stock import Adjustment, NewTotal, StockChange
from domain.store.database import Tx

described(
    AdjustReason,
    "Why units came in or went out.",
    RECEIVED="入荷.",
    RETURNED="返品.",
    DAMAGED="破損.",
    LOST="紛失.",
    FOUND="発見.",
    OTHER="その他: say what in `note`.",
)


@strawberry.input(description="The new total of one product.")
class SetStockItem:
    product_id: strawberry.ID = strawberry.field(description="Of which product.")
    total: int = strawberry.field(description="総在庫数, from 0.")
    expected_total: int | None = optional(
        "The total that was on the screen: refused with TOTAL_CHANGED when it is another by now."
    )


@strawberry.input(description="New totals, at most 100 at once.")
class SetStockInput:
    items: list[SetStockItem] = strawberry.field(description="One for each cell.")
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.input(description="Units of one product that came in or went out.")
class AdjustStockItem:
    product_id: strawberry.ID = strawberry.field(description="Of which product.")
    change: int = strawberry.field(description="Above 0: came in; below 0: went out.")


@strawberry.input(description="Units that came in or went out, at most 100 products at once.")
class AdjustStockInput:
    items: list[AdjustStockItem] = strawberry.field(description="One for each product.")
    reason: AdjustReason = strawberry.field(description="Why.")
    note: str | None = optional("What else is to be said, for the operation log.")
    allow_negative: bool | None = optional(
        "True: totals may fall below zero, because so many are gone. Else refused with INSUFFICIENT_STOCK."
    )
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of one item; the others are done whatever became of it.")
class StockResult:
    product: Product | None = answered(
        "The product as it is now, also when refused: show the new number beside the typed one."
    )
    movement: StockMovement | None = answered(
        "在庫変動: the line of its ledger; null when the total was so already, or on an error."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="What became of new totals.")
class SetStockPayload:
    results: list[StockResult] = answered_list("One for each item, in their order.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="What became of adjustments.")
class AdjustStockPayload:
    results: list[StockResult] = answered_list("One for each item, in their order.")
    job: ReflectJob | None = answered("The reflect to follow, where it was asked for.")
    user_errors: list[UserError] = user_errors()


async def set_stock(tx: Tx, context: Context, input: SetStockInput) -> SetStockPayload:
    check_count(input.items, "items")
    change = await stock.set_totals(
        tx,
        context.viewer.actor,
        [
            NewTotal(
                row_id(item.product_id, "Product", "items", str(place), "product_id"),
                item.total,
                said(item.expected_total),
            )
            for place, item in enumerate(input.items)
        ],
        reflect=said(input.reflect),
        now=context.now(),
    )
    results = _results(change, "total", context.viewer.locale)
    return SetStockPayload(results=results, job=node("Job", change.job_id))


async def adjust_stock(tx: Tx, context: Context, input: AdjustStockInput) -> AdjustStockPayload:
    check_count(input.items, "items")
    change = await stock.adjust_totals(
        tx,
        context.viewer.actor,
        [
            Adjustment(
                row_id(item.product_id, "Product", "items", str(place), "product_id"), item.change
            )
            for place, item in enumerate(input.items)
        ],
        reason=input.reason,
        note=said(input.note) or "",
        allow_negative=bool(said(input.allow_negative)),
        reflect=said(input.reflect),
        now=context.now(),
    )
    results = _results(change, "change", context.viewer.locale)
    return AdjustStockPayload(results=results, job=node("Job", change.job_id))


def _results(change: StockChange, entered: str, locale: Locale) -> list[StockResult]:
    return [
        StockResult(
            product=node("Product", each.product_id),
            movement=node("StockMovement", each.movement_id),
            user_errors=_errors(each.error, place, entered, locale),
        )
        for place, each in enumerate(change.results)
    ]


def _errors(error: DomainError | None, place: int, entered: str, locale: Locale) -> list[UserError]:
    """`entered`: the field of the item that holds the number."""
    if error is None:
        return []
    field = "product_id" if error.code == "NOT_FOUND" else entered
    return [user_error(at(error, "items", str(place), field), locale)]
