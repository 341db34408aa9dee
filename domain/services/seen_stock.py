"""Learning what a mall's counter reads: of a number looked at because a person asks, or because it was sent.

A reading decides nothing alone (DESIGN §2.8). What may still be our own write on its way to the mall's page is kept and
not compared; a number that would rise waits until the orders up to the reading are known.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model import base
from domain.model.base import MallStockSource
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import StockReading
from domain.model.reflect import PushState
from domain.services.listing_fields import read_at_mall
from domain.services.sync import Why, reconsider
from domain.store import readings
from domain.store.database import Tx
from domain.store.shops import Shop
from domain.store.sync import SyncRow


async def learn(
    tx: Tx, shop: Shop, found: Mapping[UUID, StockReading], *, now: datetime
) -> set[UUID]:
    """What the mall shows of these listings; those whose reading came too early to say anything."""
    told = [(id, each.unlimited, each.fulfilled_by_mall) for id, each in found.items()]
    await readings.not_ours(tx, told)
    ids = {each.ref: id for id, each in found.items()}
    await read_at_mall(tx, shop.mall, ids, list(found.values()), now=now)
    delay = MALL_SPECS[shop.mall].capabilities.usual_delay / shop.speed
    early: set[UUID] = set()

    def change(row: SyncRow) -> SyncRow:
        reading = found[row.listing_id]
        if _is_too_early(row, reading, delay):
            early.add(row.listing_id)
            return row
        return replace(row, base=base.after_reading(row.base, reading))

    await reconsider(tx, list(found), Why.SETTLED, now=now, change=change)
    return early


def _is_too_early(row: SyncRow, reading: StockReading, delay: timedelta) -> bool:
    """Our own write may not be shown yet: the mall's old number would look like a change."""
    if row.push_id is not None or row.push_state == PushState.ACCEPTED.value:
        return True
    at = row.base.at if row.base.source is MallStockSource.APPLIED_PUSH else None
    return at is not None and reading.at.earliest < at.latest + delay
