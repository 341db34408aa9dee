"""Accepted is not applied: what a look at the numbers that were sent says of them (DESIGN §2.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model import base
from domain.model.errors import MallError
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    ItemRef,
    StockReading,
)
from domain.model.read_back import Written, was_not_applied
from domain.model.reflect import (
    Halt,
    PushState,
    Quarantine,
    after_failure,
)
from domain.model.sync_errors import SyncErrorKind, is_worth_telling
from domain.model.sync_runs import RunKind
from domain.services import seen_stock, shops, sync_errors, sync_runs, unknown_codes
from domain.services.listing_fields import read_at_mall
from domain.services.sync import Why, reconsider
from domain.store import pushes
from domain.store import shops as shops_store
from domain.store.database import Tx
from domain.store.pushes import Unread
from domain.store.shops import Shop
from domain.store.sync import SyncRow

MOST_READS = 5


async def read_back(
    tx: Tx, shop: Shop, asked: Sequence[Unread], readings: Sequence[StockReading], *, now: datetime
) -> None:
    """Accepted is not applied: is the number there?

    What was superseded since it was asked for says nothing any more.
    """
    shop = await shops_store.lock(tx, shop.id) or shop
    await seen_stock.hold(tx, [each.listing_id for each in asked])
    shown = {reading.ref: reading for reading in readings}
    found = {each.listing_id: shown[each.ref] for each in asked if each.ref in shown}
    await unknown_codes.learn(tx, shop, found, now=now)
    known = [each for each in asked if each.ref not in shown or shown[each.ref].found]
    wrong = len(asked) - len(known)
    if wrong:
        await _note_unknown(tx, shop, [each for each in asked if each not in known], found, now)
    queued = [each for each in known if each.accepted]
    if queued:
        wrong += await _read_queued(tx, shop, queued, shown, now)
    written = [each for each in known if not each.accepted]
    if written:
        wrong += await _read_written(tx, shop, written, shown, now)
    await sync_runs.at_once(
        tx, shop.id, RunKind.READ_BACK, taken=len(asked), refused=wrong, now=now
    )


async def _note_unknown(
    tx: Tx,
    shop: Shop,
    asked: Sequence[Unread],
    found: Mapping[UUID, StockReading],
    now: datetime,
) -> None:
    """Nothing stands at the mall under these codes: nobody knows what it would show, and it is looked for later."""
    again_at = shop.at_its_pace(now + unknown_codes.LOOK_AGAIN, now)
    await pushes.read_later(tx, [each.id for each in asked], again_at)

    def change(row: SyncRow) -> SyncRow:
        return replace(row, base=base.after_reading(row.base, found[row.listing_id]))

    listing_ids = [each.listing_id for each in asked]
    await reconsider(tx, listing_ids, Why.SETTLED, now=now, change=change)


async def _read_queued(
    tx: Tx,
    shop: Shop,
    asked: Sequence[Unread],
    shown: Mapping[ItemRef, StockReading],
    now: datetime,
) -> int:
    """After MOST_READS looks the reading is the truth. How many numbers are not there for good."""
    there = [each for each in asked if _shows(shown.get(each.ref), each)]
    missing = [each for each in asked if each not in there]
    again_at = shop.at_its_pace(now + MALL_SPECS[shop.mall].capabilities.usual_delay, now)
    ids = {each.ref: each.listing_id for each in asked}
    told = [shown[each.ref] for each in asked if each.ref in shown]
    await read_at_mall(tx, shop.mall, ids, told, now=now)
    seen = await pushes.seen(tx, [each.id for each in there], now)
    given_up = await pushes.not_seen(
        tx, [each.id for each in missing], again_at=again_at, most=MOST_READS
    )
    await _note_seen(tx, shop, [each for each in there if each.id in seen], shown, now)
    await _note_not_applied(tx, shop, [each for each in missing if each.id in given_up], shown, now)
    return len(given_up)


async def _read_written(
    tx: Tx,
    shop: Shop,
    asked: Sequence[Unread],
    shown: Mapping[ItemRef, StockReading],
    now: datetime,
) -> int:
    """Numbers that the mall called applied. What is read before its display delay is over is looked at again. How many
    are not there."""
    found = {each.listing_id: shown[each.ref] for each in asked if each.ref in shown}
    absent = {id for each in asked if _was_not_applied(each, found.get(id := each.listing_id))}
    early = await seen_stock.learn(tx, shop, found, absent=absent, now=now)
    again = [each.id for each in asked if each.listing_id in early or each.ref not in shown]
    delay = MALL_SPECS[shop.mall].capabilities.usual_delay
    await pushes.read_later(tx, again, shop.at_its_pace(now + delay, now))
    looked = [each for each in asked if each.id not in again]
    lost = [each for each in looked if each.listing_id in absent]
    await pushes.looked_at(
        tx,
        [each.id for each in looked],
        shown=[each.id for each in looked if _shows(found[each.listing_id], each)],
        not_applied=[each.id for each in lost],
    )
    await _report_not_applied(tx, shop, [each.listing_id for each in lost], now)
    return len(lost)


def _was_not_applied(sent: Unread, reading: StockReading | None) -> bool:
    written = Written(sent.id, sent.quantity, sent.before)
    return (
        reading is not None
        and reading.found
        and was_not_applied(written, sent.base, reading.quantity)
    )


async def not_read(
    tx: Tx, shop: Shop, asked: Sequence[Unread], error: MallError, *, now: datetime
) -> None:
    """The mall did not say what it shows: that is asked again, and says nothing of the numbers."""
    decision = after_failure(error, 1, now=now)
    error_id = None
    if isinstance(decision, Halt):
        error_id = await shops.halt(tx, shop, error, now=now)
    if is_worth_telling(error):
        await sync_runs.at_once(
            tx, shop.id, RunKind.READ_BACK, broken=True, error_id=error_id, now=now
        )
    if isinstance(decision, Halt):
        return
    until = decision.until if isinstance(decision, Quarantine) else decision.at
    ids = [each.id for each in asked]
    await pushes.read_later(tx, ids, shop.at_its_pace(until, now))


def _shows(reading: StockReading | None, sent: Unread) -> bool:
    """What was sent, or what the mall's own sales have left of it since."""
    wanted = (sent.quantity, sent.base)
    return reading is not None and reading.found and reading.quantity in wanted


async def _note_seen(
    tx: Tx,
    shop: Shop,
    there: Sequence[Unread],
    shown: Mapping[ItemRef, StockReading],
    now: datetime,
) -> None:
    by = {each.listing_id: shown[each.ref].at.latest for each in there}
    listing_ids = list(by)

    def change(row: SyncRow) -> SyncRow:
        waits = row.wanted > row.done
        if row.push_state != PushState.ACCEPTED.value:
            return row
        since = row.waiting_since if waits else None
        known = base.seen(row.base, by[row.listing_id])
        return replace(row, push_state=PushState.APPLIED.value, waiting_since=since, base=known)

    await reconsider(tx, listing_ids, Why.SETTLED, now=now, change=change)
    await sync_errors.mended(tx, shop.id, listing_ids, kinds=(SyncErrorKind.NOT_APPLIED,), now=now)


async def _note_not_applied(
    tx: Tx,
    shop: Shop,
    missing: Sequence[Unread],
    shown: Mapping[ItemRef, StockReading],
    now: datetime,
) -> None:
    if not missing:
        return
    refs = {each.listing_id: each.ref for each in missing}

    def change(row: SyncRow) -> SyncRow:
        if row.push_state != PushState.ACCEPTED.value:
            return row
        reading = shown.get(refs[row.listing_id])
        known = base.after_reading(row.base, reading) if reading else base.unknown(row.base)
        return replace(
            row, push_state=PushState.UNKNOWN.value, failures=row.failures + 1, base=known
        )

    rows = await reconsider(tx, list(refs), Why.HAPPENED, now=now, change=change)
    wrong = [row.listing_id for row in rows if row.base.quantity != row.expected]
    await _report_not_applied(tx, shop, wrong, now)


async def _report_not_applied(tx: Tx, shop: Shop, wrong: Sequence[UUID], now: datetime) -> None:
    if wrong:
        await sync_errors.report(
            tx,
            SyncErrorKind.NOT_APPLIED,
            shop_id=shop.id,
            shop_name=shop.name,
            listing_ids=wrong,
            count=len(wrong),
            now=now,
        )
