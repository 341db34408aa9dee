"""Learning what a mall's counter reads: of a number looked at because a person asks, or because it was sent.

A reading decides nothing alone (DESIGN §2.8). What may still be our own write on its way to the mall's page is kept and
not compared; a number that would rise waits until the orders up to the reading are known. Where the shop's policy is not
that ours wins, what contradicts it is a doubt: nothing but zero is sent until that is decided on (drift.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model import base, drift
from domain.model.base import MallStockSource
from domain.model.diff import GREY
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import StockReading
from domain.model.reflect import PushState
from domain.model.shops import DriftPolicy
from domain.services.listing_fields import read_at_mall
from domain.services.sync import Why, reconsider
from domain.store import listings, readings, sync
from domain.store.database import Tx
from domain.store.shops import Shop
from domain.store.sync import SyncRow


async def hold(tx: Tx, listing_ids: Collection[UUID]) -> None:
    """Before anything is learnt of these listings: their own rows, then those of their numbers. Errors come after them, as
    where pushes are settled (DESIGN §2.11)."""
    await listings.lock_versions(tx, listing_ids)
    await sync.lock(tx, listing_ids)


async def learn(
    tx: Tx,
    shop: Shop,
    found: Mapping[UUID, StockReading],
    *,
    absent: Collection[UUID] = (),
    now: datetime,
) -> set[UUID]:
    """What the mall shows of these listings; those whose reading came too early to say anything.

    `absent`: our own last number was never written there, so nobody edited it.
    """
    await _note_told(tx, shop, found, now)
    early: set[UUID] = set()
    delay = MALL_SPECS[shop.mall].capabilities.usual_delay / shop.speed

    def change(row: SyncRow) -> SyncRow:
        reading = found[row.listing_id]
        if _is_too_early(row, reading, delay):
            early.add(row.listing_id)
            return row
        return _learnt(shop, row, reading, edited=row.listing_id not in absent)

    await reconsider(tx, list(found), Why.SETTLED, now=now, change=change)
    return early


async def _note_told(tx: Tx, shop: Shop, found: Mapping[UUID, StockReading], now: datetime) -> None:
    """What a reading says beside the number."""
    told = [(id, each.unlimited, each.fulfilled_by_mall) for id, each in found.items()]
    await readings.not_ours(tx, told)
    ids = {each.ref: id for id, each in found.items()}
    await read_at_mall(tx, shop.mall, ids, list(found.values()), now=now)


def _learnt(shop: Shop, row: SyncRow, reading: StockReading, *, edited: bool) -> SyncRow:
    """`edited`: what contradicts us somebody may have set. Where orders are not fetched, nobody can tell that from a sale:
    a person decides."""
    seen = base.after_reading(row.base, reading)
    ours = shop.drift_policy == DriftPolicy.OURS_WINS
    if ours or not edited or not GREY.isdisjoint(row.not_pushed):
        return replace(row, base=seen, believed=None, asked=False)
    believed = drift.doubted(row.believed, row.base, seen)
    unasked = believed is not None and not shop.fetches_orders
    return replace(row, base=seen, believed=believed, asked=row.asked or unasked)


def _is_too_early(row: SyncRow, reading: StockReading, delay: timedelta) -> bool:
    """Our own write may not be shown yet: the mall's old number would look like a change."""
    if row.push_id or row.feed_id or row.push_state == PushState.ACCEPTED.value:
        return True
    if row.base.source is not MallStockSource.APPLIED_PUSH or row.base.at is None:
        return False
    written = max(row.base.at.latest, row.base.changed_until or row.base.at.latest)
    return reading.at.earliest < written + delay
