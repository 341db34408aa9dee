"""Taking in a page of a shop's orders: facts, effects, movements, and every listing that then differs.

Doing it twice changes nothing. Orders are locked first, then products, then sync rows (DESIGN §2.11).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.model import exposure
from domain.model.base import after_change
from domain.model.exposure import Falls
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallOrder
from domain.model.orders import AllocationState
from domain.model.stock import Cause
from domain.model.sync_errors import SyncErrorKind
from domain.services import oversells, sync_errors
from domain.services.ledger import Ledger
from domain.services.order_outcomes import (
    Meanings,
    Outcome,
    Seen,
    apply,
    note,
    state_of_item,
)
from domain.services.sync import Change, Why, reconsider
from domain.store import logs, orders, stock, sync
from domain.store.database import Tx
from domain.store.orders import Item, KnownOrder
from domain.store.shops import Shop
from domain.store.stock import Movement
from domain.store.sync import SyncRow


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page: `orders` new or changed and their `lines`, `moved` products, units `deducted`. `unread`:
    orders that could not be read, met for the first time."""

    orders: int
    moved: int
    lines: int
    deducted: int
    unread: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.orders or self.unread)


NOTHING = Taken(0, 0, 0, 0)

Baseline = Callable[[MallOrder], bool | None]
"""Is an order that is met for the first time out of the totals already? None: as its shop says."""


def as_the_shop_says(_: MallOrder) -> None:
    return None


async def take(
    tx: Tx, shop: Shop, seen: Seen, *, baseline: Baseline = as_the_shop_says, now: datetime
) -> Taken:
    """Stores the facts and brings the totals to what they want."""
    await orders.take_turn(tx, [shop.id])
    return await take_in(tx, shop, seen, baseline=baseline, now=now)


async def take_in(
    tx: Tx, shop: Shop, seen: Seen, *, baseline: Baseline = as_the_shop_says, now: datetime
) -> Taken:
    """Like `take`. The shop's turn must have been taken."""
    if not seen.orders:
        return NOTHING
    outcome = await _work_out(tx, shop, seen, baseline)
    ledger = await _move(tx, outcome)
    await _save(tx, shop, outcome, now)
    await oversells.watch(tx, ledger.movements, now=now)
    await _tell(tx, shop, outcome, now)
    await _show(tx, outcome, ledger, now)
    return _taken(outcome, ledger)


async def take_stored(tx: Tx, shop: Shop, numbers: Sequence[str], *, now: datetime) -> None:
    """Orders that waited for a link: their stored facts, resolved again. Nothing new is learnt of the mall.

    The shop's turn must have been taken.
    """
    outcome = Outcome()
    known = await orders.lock(tx, shop.id, numbers)
    refs = sorted({ref for order in known.values() for ref in order.items})
    meanings = await _resolve(tx, shop, refs)
    for order in known.values():
        if order.fact is not None:
            apply(outcome, shop, order, order.fact, meanings)
    ledger = await _move(tx, outcome)
    await orders.save_items(tx, outcome.items)
    await orders.save_effects(tx, [(*key, effect) for key, effect in outcome.effects.items()])
    await orders.save_linked(tx, _linked(known.values(), outcome))
    await oversells.watch(tx, ledger.movements, linked_late=True, now=now)
    listings = await sync.listings_showing(tx, ledger.moved())
    await reconsider(tx, listings, Why.HAPPENED, now=now, falls=_falls(ledger))
    if not await orders.any_unlinked(tx, shop.id):
        await sync_errors.resolve(tx, shop.id, (SyncErrorKind.ORDER_UNLINKED,), now=now)


async def _work_out(tx: Tx, shop: Shop, seen: Seen, baseline: Baseline) -> Outcome:
    by_number = {
        order.number: order for order in sorted(seen.orders, key=lambda order: order.number)
    }
    known = await _known(tx, shop, by_number, seen.observed_at, baseline)
    refs = sorted({line.ref for order in by_number.values() for line in order.lines})
    meanings = await _resolve(tx, shop, refs)
    outcome = Outcome()
    for number, order in known.items():
        if order.fact is None and order.unread:
            order = _placed(shop, order, by_number[number], baseline)
            outcome.first_read.append(order)
        outcome.was_unread |= order.unread
        note(outcome, shop, order, by_number[number], seen, meanings)
    return outcome


async def _known(
    tx: Tx,
    shop: Shop,
    by_number: Mapping[str, MallOrder],
    observed_at: datetime,
    baseline: Baseline,
) -> dict[str, KnownOrder]:
    """Each as we have it, locked, in the order of their numbers; most are met for the first time."""
    seen = [(order, _is_baseline(shop, order, baseline)) for order in by_number.values()]
    known = await orders.meet(tx, shop.id, seen, observed_at)
    known |= await orders.lock(tx, shop.id, [each for each in by_number if each not in known])
    return {number: known[number] for number in by_number}


def _placed(shop: Shop, known: KnownOrder, order: MallOrder, baseline: Baseline) -> KnownOrder:
    """Met unread, it tells only now when it was placed."""
    return replace(known, placed_at=order.placed_at, baseline=_is_baseline(shop, order, baseline))


def _is_baseline(shop: Shop, order: MallOrder, baseline: Baseline) -> bool:
    """Orders from before the shop joined were counted with its stock: seen, never deducted. In doubt they deduct."""
    told = baseline(order)
    if told is not None:
        return told
    resolution = MALL_SPECS[shop.mall].capabilities.order_time_resolution
    return shop.effective_from is not None and order.placed_at + resolution <= shop.effective_from


async def _resolve(tx: Tx, shop: Shop, refs: Sequence[ItemRef]) -> Meanings:
    resolved = await orders.resolve(tx, shop.id, refs)
    sets = [each.product_id for each in resolved.values() if each.kind == "SET" and each.product_id]
    parts, _ = await sync.parts_of(tx, sets)
    products = {each.product_id for each in resolved.values() if each.product_id}
    products |= {part.product_id for those in parts.values() for part in those}
    return Meanings(resolved, parts, await stock.counts(tx, products))


def _linked(
    known: Iterable[KnownOrder], outcome: Outcome
) -> list[tuple[UUID, Item, AllocationState]]:
    by_id = {order.id: order for order in known}
    return [
        (order_id, item, state_of_item(outcome, by_id[order_id], item))
        for order_id, item in outcome.items
    ]


async def _move(tx: Tx, outcome: Outcome) -> Ledger:
    """An order moves products that were deleted since, too; what became a set since holds nothing to be moved."""
    product_ids = {product_id for product_id, *_ in outcome.moves}
    ledger = await Ledger.locked(tx, product_ids, deleted=True)
    for product_id, delta, order_id, placed_at in outcome.moves:
        if ledger.products[product_id].kind == "SET":
            continue
        cause = Cause.ORDER if delta < 0 else Cause.CANCEL
        ledger.move(product_id, delta, cause, effective_at=placed_at, order_id=order_id)
    await ledger.write(tx)
    return ledger


def _falls(ledger: Ledger) -> Falls:
    """What these orders left of each product, by when they were placed."""
    sold: dict[UUID, list[Movement]] = {}
    for each in ledger.movements:
        sold.setdefault(each.product_id, []).append(each)
    return {
        product_id: exposure.falls(
            those[0].before, ((each.effective_at, each.delta) for each in those)
        )
        for product_id, those in sold.items()
    }


async def _save(tx: Tx, shop: Shop, outcome: Outcome, now: datetime) -> None:
    before = outcome.facts.keys()
    await orders.save_seen(tx, outcome.facts, outcome.newest)
    await orders.first_read(tx, outcome.first_read)
    await orders.save_items(tx, outcome.items)
    await orders.save_lines(tx, outcome.lines, before=before)
    await orders.save_effects(tx, [(*key, effect) for key, effect in outcome.effects.items()])
    await logs.sales(tx, shop.id, outcome.sales, now)


async def _tell(tx: Tx, shop: Shop, outcome: Outcome, now: datetime) -> None:
    """The errors that these orders are, and the one that they end."""
    await _report_unlinked(tx, shop, outcome.unlinked, now)
    if outcome.was_unread and not await orders.any_unread(tx, shop.id):
        await sync_errors.resolve(tx, shop.id, (SyncErrorKind.ORDER_UNREADABLE,), now=now)


async def _show(tx: Tx, outcome: Outcome, ledger: Ledger, now: datetime) -> None:
    """Every listing that shows what moved, or whose counter an order changed."""
    listings = {*await sync.listings_showing(tx, ledger.moved()), *outcome.counters}
    await reconsider(
        tx, listings, Why.HAPPENED, now=now, change=_counted(outcome), falls=_falls(ledger)
    )


def _taken(outcome: Outcome, ledger: Ledger) -> Taken:
    return Taken(
        orders=len(outcome.lines),
        moved=len(ledger.moved()),
        lines=sum(len(those) for those in outcome.lines.values()),
        deducted=-sum(delta for _, delta, *_ in outcome.moves if delta < 0),
    )


async def _report_unlinked(
    tx: Tx, shop: Shop, unlinked: Mapping[UUID, Sequence[UUID]], now: datetime
) -> None:
    """`unlinked`: by order, those of its listings that there are."""
    if unlinked:
        await sync_errors.report(
            tx,
            SyncErrorKind.ORDER_UNLINKED,
            shop_id=shop.id,
            shop_name=shop.name,
            listing_ids={listing for those in unlinked.values() for listing in those},
            count=len(unlinked),
            now=now,
        )


def _counted(outcome: Outcome) -> Change:
    """Notes on each listing's base, and on what was believed before a reading, what the orders did to the counter."""

    def change(row: SyncRow) -> SyncRow:
        base, believed = row.base, row.believed
        steps = outcome.counters.get(row.listing_id)
        if not steps:
            return row
        for step, restocks in steps:
            base = after_change(base, step, restocks)
            believed = believed and after_change(believed, step, restocks)
        return replace(row, base=base, believed=believed)

    return change
