"""Setting and adjusting totals by hand: many at once, each by itself. A refused item leaves the others done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.sets import check_holds_stock
from domain.model.stock import AdjustReason, Cause, adjusted, set_to
from domain.model.texts import MOST_NOTE, checked_text
from domain.services import edits
from domain.services.ledger import Ledger
from domain.store import logs, stock
from domain.store.database import Tx
from domain.store.stock import ProductStock


@dataclass(frozen=True, slots=True)
class NewTotal:
    """`expected`: the total that the caller saw; None: they did not say."""

    product_id: UUID
    total: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    product_id: UUID
    change: int


@dataclass(frozen=True, slots=True)
class StockResult:
    """What became of one item. No movement and no error: the total was so already.

    `error`: NOT_FOUND, SET_HAS_NO_STOCK, TOTAL_CHANGED, INSUFFICIENT_STOCK or INVALID_VALUE.
    """

    product_id: UUID
    movement_id: UUID | None = None
    error: DomainError | None = None


@dataclass(frozen=True, slots=True)
class StockChange:
    """One result an item, in the order given; the job to follow where reflecting was asked for."""

    results: tuple[StockResult, ...]
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one item wants of its product: the total after, from the product as it is by then."""

    product_id: UUID
    after: Callable[[ProductStock], int]


async def set_totals(
    tx: Tx, actor: Actor, items: Sequence[NewTotal], *, reflect: bool | None = None, now: datetime
) -> StockChange:
    """A total that is set says what there is: orders of listings linked later count only when placed after it."""
    steps = [_Step(item.product_id, _setting(item)) for item in items]
    ledger = await Ledger.locked(tx, {item.product_id for item in items})
    outcomes = [_move(ledger, step, Cause.SET_BY_HAND, None, actor, now) for step in steps]
    change = await _write(tx, ledger, outcomes, "SET_STOCK", {}, actor, reflect, now)
    await stock.counted(tx, _done(change), now)
    return change


async def adjust_totals(
    tx: Tx,
    actor: Actor,
    items: Sequence[Adjustment],
    *,
    reason: AdjustReason,
    note: str = "",
    allow_negative: bool = False,
    reflect: bool | None = None,
    now: datetime,
) -> StockChange:
    """Units that came in or went out, for a reason; below zero only where the caller says so.

    Raises DomainError INVALID_VALUE for a note that is too long.
    """
    steps = [_Step(item.product_id, _adjusting(item, allow_negative)) for item in items]
    ledger = await Ledger.locked(tx, {item.product_id for item in items})
    outcomes = [_move(ledger, step, Cause.ADJUSTED, reason, actor, now) for step in steps]
    facts = {"reason": reason.value, "note": checked_text(note, "note", MOST_NOTE)}
    return await _write(tx, ledger, outcomes, "ADJUST_STOCK", facts, actor, reflect, now)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`movement`: its place among the ledger's movements."""

    product_id: UUID
    before: int = 0
    after: int = 0
    movement: int | None = None
    error: DomainError | None = None


def _setting(item: NewTotal) -> Callable[[ProductStock], int]:
    return lambda product: set_to(product.total, item.total, item.expected)


def _adjusting(item: Adjustment, allow_negative: bool) -> Callable[[ProductStock], int]:
    return lambda product: adjusted(product.total, item.change, allow_negative=allow_negative)


def _move(
    ledger: Ledger,
    step: _Step,
    cause: Cause,
    reason: AdjustReason | None,
    actor: Actor,
    now: datetime,
) -> _Outcome:
    try:
        before, after = _wanted(ledger, step)
    except DomainError as error:
        return _Outcome(step.product_id, error=error)
    place = len(ledger.movements) if after != before else None
    ledger.move(
        step.product_id, after - before, cause, effective_at=now, reason=reason, actor=actor
    )
    return _Outcome(step.product_id, before, after, place)


def _wanted(ledger: Ledger, step: _Step) -> tuple[int, int]:
    """The total before and after. Raises what refuses it."""
    product = ledger.products.get(step.product_id)
    if product is None:
        raise edits.not_found("product", "productId")
    check_holds_stock(is_set=product.kind == "SET")
    return product.total, step.after(product)


async def _write(
    tx: Tx,
    ledger: Ledger,
    outcomes: Sequence[_Outcome],
    action: str,
    facts: dict[str, str],
    actor: Actor,
    reflect: bool | None,
    now: datetime,
) -> StockChange:
    ids = await ledger.write(tx)
    done = [outcome for outcome in outcomes if outcome.error is None]
    targets = [
        (each.product_id, {"before": each.before, "after": each.after} | facts) for each in done
    ]
    await logs.operation(tx, actor.as_json(), action, "PRODUCT", targets)
    job_id = await edits.products_edited(
        tx, actor, {each.product_id for each in done}, reflect, now=now
    )
    return StockChange(tuple(_result(each, ids) for each in outcomes), job_id)


def _result(outcome: _Outcome, ids: Sequence[UUID]) -> StockResult:
    movement_id = None if outcome.movement is None else ids[outcome.movement]
    return StockResult(outcome.product_id, movement_id, outcome.error)


def _done(change: StockChange) -> list[UUID]:
    return [result.product_id for result in change.results if result.error is None]
