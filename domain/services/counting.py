"""棚卸: totals as somebody counted them, as of when they counted, each by itself (DESIGN §3).

The count and the orders that are taken in meanwhile are kept apart by every shop's turn: what an order takes is decided
either before the count, and then seen by it, or after, and then by what the count says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.sets import check_holds_stock
from domain.model.stock import (
    Cause,
    CountBasis,
    CountedSince,
    CountSum,
    check_counted_at,
    counted,
)
from domain.services import edits
from domain.services.ledger import Ledger
from domain.store import logs, orders, stock
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Counted:
    product_id: UUID
    units: int


@dataclass(frozen=True, slots=True)
class CountResult:
    """What became of one item. No movement and no error: the total was so already.

    `error`: NOT_FOUND, SET_HAS_NO_STOCK, COUNTED_SINCE or INVALID_VALUE; `sum` is None then.
    """

    product_id: UUID
    sum: CountSum | None = None
    movement_id: UUID | None = None
    error: DomainError | None = None


@dataclass(frozen=True, slots=True)
class CountChange:
    """One result an item, in the order given; the job to follow where reflecting was asked for."""

    results: tuple[CountResult, ...]
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Count:
    """What was counted when, and what is known of the products: units sold and not shipped, and moved since."""

    at: datetime
    basis: CountBasis
    not_shipped: Mapping[UUID, int]
    moved_since: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`movement`: its place among the ledger's movements."""

    product_id: UUID
    before: int = 0
    sum: CountSum | None = None
    movement: int | None = None
    error: DomainError | None = None


async def count(
    tx: Tx,
    actor: Actor,
    items: Sequence[Counted],
    *,
    counted_at: datetime,
    basis: CountBasis,
    reflect: bool | None = None,
    now: datetime,
) -> CountChange:
    """Brings each total to what was counted, less what is sold and still lies there, and what moved since.

    Orders placed before the count that come later still deduct after a count ON_SHELF, and never after a FREE one; what
    a known order has taken stays its own, so that its cancel gives it back as the shop's policy says. Raises DomainError
    INVALID_VALUE for a count in the future.
    """
    check_counted_at(counted_at, now)
    await orders.take_every_turn(tx)
    asked = {item.product_id for item in items}
    ledger = await Ledger.locked(tx, asked)
    known = await _known(tx, asked, counted_at, basis)
    outcomes = [_counted(ledger, known, item, actor) for item in items]
    ids = await ledger.write(tx)
    done = [each for each in outcomes if each.sum is not None]
    await stock.note_count(tx, [each.product_id for each in done], counted_at, basis)
    await _log(tx, actor, done, known)
    job_id = await edits.products_edited(
        tx, actor, {each.product_id for each in done}, reflect, now=now
    )
    return CountChange(tuple(_result(each, ids) for each in outcomes), job_id)


async def _known(tx: Tx, product_ids: set[UUID], at: datetime, basis: CountBasis) -> _Count:
    lying = await orders.not_shipped(tx, product_ids, at) if basis is CountBasis.ON_SHELF else {}
    return _Count(at, basis, lying, await stock.moved_since(tx, product_ids, at))


def _counted(ledger: Ledger, known: _Count, item: Counted, actor: Actor) -> _Outcome:
    try:
        before, made = _sum(ledger, known, item)
    except DomainError as error:
        return _Outcome(item.product_id, error=error)
    place = len(ledger.movements) if made.total != before else None
    ledger.move(
        item.product_id,
        made.total - before,
        Cause.COUNTED,
        effective_at=known.at,
        reason=known.basis.value,
        actor=actor,
    )
    return _Outcome(item.product_id, before, made, place)


def _sum(ledger: Ledger, known: _Count, item: Counted) -> tuple[int, CountSum]:
    """The total before, and what the count makes of it. Raises what refuses it."""
    product = ledger.products.get(item.product_id)
    if product is None:
        raise edits.not_found("product", "productId")
    check_holds_stock(is_set=product.kind == "SET")
    if product.counted_at is not None and product.counted_at > known.at:
        raise CountedSince(known.at, product.counted_at)
    made = counted(
        item.units,
        known.basis,
        not_shipped=known.not_shipped.get(product.id, 0),
        moved_since=known.moved_since.get(product.id, 0),
    )
    return product.total, made


async def _log(tx: Tx, actor: Actor, done: Sequence[_Outcome], known: _Count) -> None:
    targets = [(each.product_id, _facts(each.before, each.sum, known)) for each in done if each.sum]
    await logs.operation(tx, actor.as_json(), "COUNT_STOCK", "PRODUCT", targets)


def _facts(before: int, made: CountSum, known: _Count) -> dict[str, object]:
    return {
        "before": before,
        "after": made.total,
        "counted": made.counted,
        "not_shipped": made.not_shipped,
        "moved_since": made.moved_since,
        "basis": known.basis.value,
        "counted_at": known.at,
    }


def _result(outcome: _Outcome, ids: Sequence[UUID]) -> CountResult:
    movement_id = None if outcome.movement is None else ids[outcome.movement]
    return CountResult(outcome.product_id, outcome.sum, movement_id, outcome.error)
