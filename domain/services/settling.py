"""What came of a call, in a second transaction (DESIGN §2.7): each number's own answer (answered_calls.py), or what stopped
them all (failed_calls.py); and what it says of the mall.

Settling writes `done = the generation that was claimed`, so a change in between still waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.model.errors import MallError
from domain.model.malls import PushResult
from domain.model.sync_errors import Part
from domain.services import answered_calls, breakers, failed_calls, shops, sync_errors
from domain.services.reflect import Batch
from domain.store import leased_shops, pushes, sync
from domain.store import shops as shops_store
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop


async def settle(
    tx: Tx,
    batch: Batch,
    outcome: Sequence[PushResult] | MallError,
    *,
    all_answered: bool = True,
    counts: bool = True,
    now: datetime,
) -> Shop | None:
    """What came of a call; the shop as it is then. None for a holder that lost its lease meanwhile: it writes to the log
    only.

    `all_answered`: so were the calls that went out together with it, so that the mall is well. `counts`: it says how the
    mall is; of calls that went out together and failed, one does, and none where others were answered.
    """
    shop = await leased_shops.lock(tx, batch.shop.id, LeaseKind.REFLECT, batch.epoch)
    if shop is None:
        await pushes.lose(tx, batch.shop.id, [attempt.id for attempt in batch.attempts])
        return None
    batch = replace(batch, shop=replace(shop, version=batch.shop.version))
    if isinstance(outcome, MallError):
        await failed_calls.settle(tx, batch, outcome, now=now)
        if counts:
            await breakers.note(tx, shop, outcome, now)
        return await shops_store.get(tx, shop.id)
    await breakers.note(tx, shop, None, now)
    errors = await answered_calls.settle(tx, batch, outcome, now=now)
    return await _is_well(tx, shop, now, errors=errors) if all_answered else shop


async def hold(tx: Tx, batches: Sequence[Batch]) -> None:
    """Before calls that went out together are settled one after the other: the shop, then the rows of all, by their ids,
    so that whoever holds some of them does not wait for us while we wait for them (DESIGN §2.11)."""
    first = batches[0]
    if await leased_shops.lock(tx, first.shop.id, LeaseKind.REFLECT, first.epoch) is not None:
        await sync.lock(tx, [each.listing_id for batch in batches for each in batch.attempts])


async def _is_well(tx: Tx, shop: Shop, now: datetime, *, errors: bool) -> Shop:
    """The mall is. `errors`: some of its errors are open."""
    if errors:
        await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, part=Part.STOCK, now=now)
    if shop.paused_until is not None:
        await shops_store.change(tx, shop.id, paused_until=None)
    await shops.maintenance(tx, shop, on=False)
    return replace(shop, paused_until=None, maintenance=False)
