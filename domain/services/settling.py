"""What came of a call, in a second transaction (DESIGN §2.7): each number's own answer (answered_calls.py), or what stopped
them all (failed_calls.py); and what it says of the mall.

Settling writes `done = the generation that was claimed`, so a change in between still waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.model import breaker
from domain.model.errors import MallError
from domain.model.malls import PushResult
from domain.model.sync_errors import Part
from domain.services import answered_calls, failed_calls, shops, sync_errors
from domain.services.reflect import Batch
from domain.store import leased_shops, pushes
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
            await _note_call(tx, shop, outcome, now)
        return await shops_store.get(tx, shop.id)
    await _note_call(tx, shop, None, now)
    errors = await answered_calls.settle(tx, batch, outcome, now=now)
    return await _is_well(tx, shop, now, errors=errors) if all_answered else shop


async def _note_call(tx: Tx, shop: Shop, error: MallError | None, now: datetime) -> None:
    """How many calls in a row have failed by now; from some on the shop is left alone."""
    failed_calls = breaker.after_call(shop.failed_calls, error)
    if failed_calls == shop.failed_calls:
        return
    await shops_store.change(tx, shop.id, failed_calls=failed_calls)
    closed_for = breaker.closed_for(failed_calls, error) if error else None
    if closed_for is not None:
        until = shop.at_its_pace(now + closed_for, now)
        await shops_store.change(tx, shop.id, paused_until=until)
    if breaker.is_tripped(failed_calls) or breaker.is_tripped(shop.failed_calls):
        shops.announce(tx, shop.id)


async def _is_well(tx: Tx, shop: Shop, now: datetime, *, errors: bool) -> Shop:
    """The mall is. `errors`: some of its errors are open."""
    if errors:
        await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, part=Part.STOCK, now=now)
    if shop.paused_until is not None:
        await shops_store.change(tx, shop.id, paused_until=None)
    await shops.maintenance(tx, shop, on=False)
    return replace(shop, paused_until=None, maintenance=False)
