"""ずれ: what malls show otherwise than we knew, decided on by the shop's policy or by a person, once (DESIGN §2.8).

A policy decides when the orders are known past the reading by as much as orders may come late, and for what the mall shows
too much the cancels as well: whatever an order explains is no drift, and no unit is counted twice. Where the orders of a
shop are not fetched nobody can tell an edit from a sale, and a person decides.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.model import drift
from domain.model.actors import SYSTEM, Actor
from domain.model.base import Base, MallStockSource
from domain.model.diff import GREY
from domain.model.drift import Verdict
from domain.model.errors import DomainError
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.read_back import was_not_applied
from domain.model.shops import DriftPolicy
from domain.model.stock import Cause, sellable
from domain.services import polling
from domain.services.edits import ListingChange, Refused, missing
from domain.services.ledger import Ledger
from domain.services.sync import Change, Why, reconsider
from domain.store import doubts, logs, shops, sync
from domain.store.database import Tx
from domain.store.doubts import LastWrite
from domain.store.shops import Shop
from domain.store.stock import ProductStock
from domain.store.sync import Numbers, SyncRow

AT_ONCE = 200
"""Few enough that orders wait for their products only for a moment; the next fetch goes on."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """A listing whose row and product are locked. `product`: as it was then."""

    row: SyncRow
    numbers: Numbers
    product: ProductStock | None
    last: LastWrite | None


@dataclass(frozen=True, slots=True)
class _Opened:
    listings: Sequence[_Listing]
    ledger: Ledger


async def decide(tx: Tx, shop_id: UUID, *, now: datetime) -> None:
    """After a fetch of orders: everything in doubt that they reach, at most AT_ONCE listings."""
    shop = await shops.lock(tx, shop_id)
    if shop is None or shop.watermark is None or not shop.fetches_orders:
        return
    due = await doubts.due(
        tx,
        shop_id,
        known_until=shop.watermark - polling.overlap(shop),
        cancels_known_until=polling.cancels_known_until(shop),
        at_most=AT_ONCE,
    )
    if due:
        await _decide(tx, shop, due, now)


async def take(
    tx: Tx, actor: Actor, listing_ids: Sequence[UUID], *, now: datetime
) -> ListingChange:
    """モールに合わせる: totals follow what the malls show, as counted adjustments, and go out to the other malls.

    Refused: NOT_FOUND, MALL_STOCK_UNKNOWN, ORDERS_NOT_IN where it may be a sale, CANNOT_TAKE_THEIRS where the number
    does not say how many there are.
    """
    opened = await _open(tx, listing_ids)
    those = {each.id: each for each in await shops.every(tx)}
    refused: list[Refused] = []
    taken: dict[UUID, Mapping[str, object]] = {}
    for each in opened.listings:
        error = _refusal(each, opened.ledger, those[each.row.shop_id])
        if error is not None:
            refused.append(Refused(each.row.listing_id, error))
            continue
        taken[each.row.listing_id] = _move(opened.ledger, each, _by_hand(each), actor)
    await _write(tx, opened.ledger, taken, now)
    await logs.operation(tx, actor.as_json(), "TAKE_THEIRS", "LISTING", list(taken.items()))
    there = {each.row.listing_id for each in opened.listings}
    return ListingChange(tuple(taken), (*missing(listing_ids, there, "listing"), *refused))


async def _open(tx: Tx, listing_ids: Collection[UUID]) -> _Opened:
    """Products first, then every listing that shows one of them (DESIGN §2.11)."""
    products = await doubts.products(tx, listing_ids)
    ledger = await Ledger.locked(tx, products)
    showing = await sync.listings_showing(tx, products)
    locked = {row.listing_id: row for row in await sync.lock(tx, {*showing, *listing_ids})}
    numbers = await sync.numbers(tx, listing_ids)
    last = await doubts.last_writes(tx, listing_ids)
    listings = [
        _Listing(locked[id], each, _product(ledger, each), last.get(id))
        for id, each in sorted(numbers.items())
        if id in locked
    ]
    return _Opened(listings, ledger)


def _product(ledger: Ledger, numbers: Numbers) -> ProductStock | None:
    """None: it is linked to none, or that is deleted."""
    return ledger.products.get(numbers.product_id) if numbers.product_id else None


async def _decide(tx: Tx, shop: Shop, due: Sequence[UUID], now: datetime) -> None:
    opened = await _open(tx, due)
    policy = DriftPolicy(shop.drift_policy)
    verdicts: dict[UUID, Verdict] = {}
    for each in opened.listings:
        if each.row.believed is None:
            continue
        verdict = _verdict(policy, each, each.row.believed, opened.ledger)
        verdicts[each.row.listing_id] = verdict
        if verdict is Verdict.THEIRS:
            _move(opened.ledger, each, drift.units(each.row.believed, each.row.base), SYSTEM)
    taken = [id for id, verdict in verdicts.items() if verdict is Verdict.THEIRS]
    left = {id: verdict for id, verdict in verdicts.items() if verdict is not Verdict.THEIRS}
    await reconsider(tx, left, Why.SETTLED, now=now, change=_as_decided(left))
    await _write(tx, opened.ledger, taken, now)


def _as_decided(verdicts: Mapping[UUID, Verdict]) -> Change:
    def change(row: SyncRow) -> SyncRow:
        if verdicts[row.listing_id] is Verdict.ASK:
            return replace(row, asked=True)
        return _certain(row)

    return change


def _certain(row: SyncRow) -> SyncRow:
    return replace(row, believed=None, asked=False)


def _verdict(policy: DriftPolicy, listing: _Listing, believed: Base, ledger: Ledger) -> Verdict:
    row = listing.row
    if not GREY.isdisjoint(row.not_pushed):
        return Verdict.OURS
    return drift.verdict(
        policy,
        drift.units(believed, row.base),
        takeable=_is_takeable(listing, ledger),
        not_applied=_was_not_applied(listing, believed),
        counted_since=_was_counted_since(listing),
    )


def _was_counted_since(listing: _Listing) -> bool:
    """Has a person said, after the reading, how many there are?"""
    counted_at = listing.product.counted_at if listing.product else None
    at = listing.row.base.at
    return counted_at is not None and at is not None and counted_at >= at.earliest


def _was_not_applied(listing: _Listing, believed: Base) -> bool:
    last = listing.last
    if last is None or last.seen or believed.source is MallStockSource.READ_BACK:
        return False
    return was_not_applied(last.written, believed.quantity, listing.row.base.quantity)


def _is_takeable(listing: _Listing, ledger: Ledger) -> bool:
    numbers, product = listing.numbers, _product(ledger, listing.numbers)
    if product is None or product.kind == "SET" or not numbers.managed:
        return False
    if numbers.link_state == "CONFLICT":
        return False
    free = sellable(product.total, numbers.reserve)
    most = MALL_SPECS[MallKind(numbers.mall)].capabilities.max_quantity
    return drift.shows_its_total(free, numbers.minimum, numbers.maximum, most)


def _move(ledger: Ledger, listing: _Listing, units: int, actor: Actor) -> dict[str, object]:
    """The total before and after."""
    product_id, at = listing.numbers.product_id, listing.row.base.at
    assert product_id is not None
    assert at is not None
    before = ledger.products[product_id].total
    ledger.move(product_id, units, Cause.MALL_EDIT_TAKEN, effective_at=at.latest, actor=actor)
    return {"before": before, "after": before + units}


async def _write(tx: Tx, ledger: Ledger, taken: Collection[UUID], now: datetime) -> None:
    """A total that follows a mall goes out to all the others by itself."""
    await ledger.write(tx)
    listings = {*await sync.listings_showing(tx, ledger.moved()), *taken}

    def change(row: SyncRow) -> SyncRow:
        return _certain(row) if row.listing_id in taken else row

    await reconsider(tx, listings, Why.HAPPENED, now=now, change=change)


def _by_hand(listing: _Listing) -> int:
    """What parts the mall's number from what we knew; where that is not in doubt, or there was a count since, from what
    it should show."""
    row = listing.row
    if row.believed is not None and not _was_counted_since(listing):
        return drift.units(row.believed, row.base)
    assert row.base.quantity is not None
    assert row.expected is not None
    return row.base.quantity - row.expected


def _refusal(listing: _Listing, ledger: Ledger, shop: Shop) -> DomainError | None:
    row = listing.row
    if row.base.quantity is None or row.base.at is None:
        return DomainError(
            "Nobody knows what its mall shows: read it first.", code="MALL_STOCK_UNKNOWN"
        )
    if not _is_takeable(listing, ledger):
        return DomainError(
            "Its number does not say how many there are (a set, a limit, a reserve, or another listing stands between): "
            "set the total, or take ours.",
            code="CANNOT_TAKE_THEIRS",
        )
    if row.base.source is MallStockSource.READ_BACK and not _orders_reach(shop, row.base):
        return DomainError(
            "The orders up to its reading are not in yet, and it may be a sale: try again in some minutes.",
            code="ORDERS_NOT_IN",
        )
    return None


def _orders_reach(shop: Shop, base: Base) -> bool:
    if not shop.fetches_orders:
        return True
    known = shop.watermark and shop.watermark - polling.overlap(shop)
    return known is not None and base.at is not None and base.at.latest <= known
