"""Sending what waits: claim, and settle what came of it. No transaction waits on a mall (DESIGN §2.7).

A claim locks the rows that wait, notes their generation and their own newest number, and commits what will be sent. The
call is the worker's. Settling writes `done = the generation that was claimed`, so a change in between still waits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from domain.model import base
from domain.model.errors import MallError, MallRefused, MallThrottled, MallUnavailable, kept
from domain.model.mall_fields import travelling
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    ItemRef,
    MallTime,
    PushOutcome,
    PushResult,
    StockPush,
    StockReading,
    WriteMode,
)
from domain.model.read_back import Written, is_due, looked_at, was_not_applied
from domain.model.reflect import (
    FIRST_WAIT,
    LONGEST_WAIT,
    RISE_AFTER,
    UNKNOWN_WAIT,
    Halt,
    Lane,
    PushState,
    Quarantine,
    Retry,
    after_failure,
    backoff,
)
from domain.model.sync_errors import Part, SyncErrorKind, is_worth_telling
from domain.model.sync_runs import RunKind
from domain.services import reflect_jobs, seen_stock, shops, sync_errors, sync_runs
from domain.services.listing_fields import read_at_mall
from domain.services.sync import Change, Why, reconsider
from domain.store import leases, listing_fields, pushes, sync
from domain.store import shops as shops_store
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.pushes import Attempt, Settled, Unread
from domain.store.shops import Shop
from domain.store.sync import SyncRow

MOST_READS = 5
POLLS_FRESH = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """One call's worth of attempts, in the order in which they are sent."""

    shop: Shop
    epoch: int
    attempts: tuple[Attempt, ...]

    @property
    def pushes(self) -> list[StockPush]:
        return [
            StockPush(each.ref, each.quantity, each.mode, each.fields) for each in self.attempts
        ]


def orders_are_fresh(shop: Shop, now: datetime) -> bool:
    """May other numbers than zero go out? A zero cannot put a sold unit back, any other number may (DESIGN §2.4)."""
    if not shop.fetches_orders:
        return True
    allowed = MALL_SPECS[shop.mall].capabilities.order_freshness / shop.speed
    allowed = max(allowed, POLLS_FRESH * timedelta(seconds=shop.order_poll_seconds))
    return shop.orders_seen_at is not None and now - shop.orders_seen_at <= allowed


async def claim(tx: Tx, shop: Shop, epoch: int, *, at_most: int, now: datetime) -> Batch | None:
    """The most urgent numbers that may go out now, as committed attempts; None when nothing may."""
    if shop.state in ("HALTED", "PROBING") or not shop.reflects:
        return None
    listing_ids = await pushes.due(
        tx,
        shop.id,
        now=now,
        last_lane=Lane.OTHER if orders_are_fresh(shop, now) else Lane.TO_ZERO,
        watermark=shop.watermark,
        fetches_orders=shop.fetches_orders,
        risen_before=now - RISE_AFTER,
        at_most=at_most,
    )
    if not listing_ids:
        return None
    urgency = {listing_id: place for place, listing_id in enumerate(listing_ids)}
    rows = sorted(await sync.lock(tx, listing_ids), key=lambda row: urgency[row.listing_id])
    attempts = _of_one_call(shop, await _attempts(tx, shop, rows, now))
    claimed = {attempt.listing_id for attempt in attempts}
    rows = [row for row in rows if row.listing_id in claimed]
    await pushes.insert(
        tx, shop.id, uuid4(), epoch, attempts, [row.waiting_since or now for row in rows]
    )
    await sync.save(tx, [_sent(row, attempt) for row, attempt in zip(rows, attempts, strict=True)])
    await run_rows.note(tx, shop.id, RunKind.REFLECT, epoch, sent=len(attempts), at=now)
    return Batch(shop, epoch, tuple(attempts))


async def settle(
    tx: Tx,
    batch: Batch,
    outcome: Sequence[PushResult] | MallError,
    *,
    all_answered: bool = True,
    now: datetime,
) -> None:
    """What came of a call. A holder that lost its lease meanwhile writes to the log only.

    `all_answered`: so were the calls that went out together with it, so that the mall is well.
    """
    shop = await shops_store.lock(tx, batch.shop.id)
    if shop is None or not await leases.holds(tx, shop.id, LeaseKind.REFLECT, batch.epoch):
        await pushes.settle_late(tx, batch.shop.id, [attempt.id for attempt in batch.attempts])
        return
    batch = replace(batch, shop=shop)
    if isinstance(outcome, MallError):
        await _settle_failure(tx, batch, outcome, now)
        return
    await _settle_results(tx, batch, outcome, now)
    if all_answered:
        await _answered(tx, shop, now)


async def rest(tx: Tx, shop: Shop, *, now: datetime) -> None:
    """A mall that refuses one call after the other is left alone for a moment."""
    await shops_store.change(tx, shop.id, paused_until=shop.at_its_pace(now + FIRST_WAIT, now))


async def recover(tx: Tx, shop: Shop, epoch: int, *, now: datetime) -> None:
    """Attempts of a holder that died: nobody knows whether they were applied, so their base is unknown.

    A zero goes out again at once, the first time; what is lost again and again waits ever longer.
    """
    lost = await pushes.lost(tx, shop.id, epoch)
    await sync_runs.cut_short(tx, shop.id, RunKind.REFLECT, epoch, unanswered=len(lost), now=now)
    if not lost:
        return
    await pushes.lose(tx, [each.id for each in lost.values()])

    def change(row: SyncRow) -> SyncRow:
        attempt = lost[row.listing_id]
        if row.push_id != attempt.id:
            return row
        known = base.unknown(row.base, _between(shop, attempt.sent_at, now))
        return replace(_failed(row, PushState.UNKNOWN.value, _again(shop, row, now)), base=known)

    await reconsider(tx, list(lost), Why.SETTLED, now=now, change=change)


async def end(tx: Tx, shop_id: UUID, epoch: int, *, now: datetime) -> None:
    """The turn under this epoch is over."""
    await sync_runs.end(tx, shop_id, RunKind.REFLECT, epoch, now=now)


async def read_back(
    tx: Tx, shop: Shop, asked: Sequence[Unread], readings: Sequence[StockReading], *, now: datetime
) -> None:
    """Accepted is not applied: is the number there?

    What was superseded since it was asked for says nothing any more.
    """
    shop = await shops_store.lock(tx, shop.id) or shop
    shown = {reading.ref: reading for reading in readings}
    queued = [each for each in asked if each.accepted]
    wrong = 0
    if queued:
        wrong += await _read_queued(tx, shop, queued, shown, now)
    written = [each for each in asked if not each.accepted]
    if written:
        wrong += await _read_written(tx, shop, written, shown, now)
    await sync_runs.at_once(
        tx, shop.id, RunKind.READ_BACK, taken=len(asked), refused=wrong, now=now
    )


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
    await _note_seen(tx, shop, [each for each in there if each.id in seen], now)
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


async def _attempts(tx: Tx, shop: Shop, rows: Sequence[SyncRow], now: datetime) -> list[Attempt]:
    refs = await pushes.refs(tx, [row.listing_id for row in rows], travelling(shop.mall))
    return [_attempt(row, *refs[row.listing_id], now) for row in rows]


def _of_one_call(shop: Shop, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Where a field goes with all items of a call or with none: those that bring what the most urgent one brings. The
    others are claimed next."""
    if not MALL_SPECS[shop.mall].capabilities.fields_for_all_or_none:
        return list(attempts)
    brought = attempts[0].fields.keys()
    return [each for each in attempts if each.fields.keys() == brought]


def _attempt(
    row: SyncRow, attempt_id: UUID, ref: ItemRef, fields: Mapping[str, str], now: datetime
) -> Attempt:
    assert row.expected is not None
    return Attempt(
        id=attempt_id,
        listing_id=row.listing_id,
        ref=ref,
        quantity=row.expected,
        mode=WriteMode.ABSOLUTE,
        generation=row.wanted,
        lane=row.lane,
        before=row.base.quantity,
        attempts=row.attempts + 1,
        sent_at=now,
        fields=fields,
    )


def _sent(row: SyncRow, attempt: Attempt) -> SyncRow:
    return replace(
        row,
        claimed=row.wanted,
        attempts=min(attempt.attempts, 30_000),
        push_id=attempt.id,
        push_state="SENT",
    )


def _again(shop: Shop, row: SyncRow, now: datetime) -> datetime:
    if row.lane == Lane.TO_ZERO and row.attempts <= 1:
        return now
    return shop.at_its_pace(now + backoff(row.attempts, UNKNOWN_WAIT, LONGEST_WAIT), now)


async def _settle_results(
    tx: Tx, batch: Batch, results: Sequence[PushResult], now: datetime
) -> None:
    answered = list(zip(batch.attempts, results, strict=True))
    again_at = {
        attempt.listing_id: _again_at(batch.shop, attempt, now)
        for attempt, result in answered
        if result.outcome is PushOutcome.REFUSED
    }
    watched = await _watched(tx, batch.shop, answered, now)
    settled = [_settled(batch.shop, each, watched, now) for each in answered]
    await pushes.settle(tx, batch.shop.id, settled)
    stands = {
        attempt.listing_id: attempt.fields
        for attempt, result in answered
        if result.outcome is PushOutcome.APPLIED
    }
    await listing_fields.note_written(tx, stands)
    learnt = {attempt.listing_id: (attempt, result) for attempt, result in answered}
    change = _with_results(learnt, again_at)
    await reconsider(tx, list(learnt), Why.SETTLED, now=now, change=change)
    stood = [each.listing_id for each in batch.attempts if each.listing_id not in again_at]
    await sync_errors.mended(tx, batch.shop.id, stood, now=now)
    await reflect_jobs.settled(tx, stood, refused=list(again_at), now=now)
    error_id = await _report_refused(tx, batch, results, again_at, now)
    if again_at:
        await _note_bad(tx, batch, error_id, now, refused=len(again_at))


def _again_at(shop: Shop, attempt: Attempt, now: datetime) -> datetime:
    decision = after_failure(MallRefused("The mall refused the item."), attempt.attempts, now=now)
    assert isinstance(decision, Quarantine)
    return shop.at_its_pace(decision.until, now)


async def _watched(
    tx: Tx, shop: Shop, answered: Sequence[tuple[Attempt, PushResult]], now: datetime
) -> set[UUID]:
    """Those of the applied numbers that are looked at all the same, where the mall tells what it shows."""
    written = [
        Written(attempt.id, attempt.quantity, attempt.before)
        for attempt, result in answered
        if result.outcome is PushOutcome.APPLIED
    ]
    if not written or not MALL_SPECS[shop.mall].capabilities.reads_stock:
        return set()
    due = is_due(shop.sampled_at, now) and any(not each.drops_to_zero for each in written)
    if due:
        await shops_store.change(tx, shop.id, sampled_at=now)
    return looked_at(written, one_in=shop.read_back_one_in, due=due)


def _settled(
    shop: Shop, answered: tuple[Attempt, PushResult], watched: Collection[UUID], now: datetime
) -> Settled:
    attempt, result = answered
    delay = MALL_SPECS[shop.mall].capabilities.usual_delay / shop.speed
    settled = Settled(
        attempt,
        result.outcome.value,
        mall_code=kept(result.mall_code),
        mall_message=kept(result.mall_message),
    )
    match result.outcome:
        case PushOutcome.APPLIED:
            read_back_at = now + delay if attempt.id in watched else None
            return replace(settled, accepted_at=now, applied_at=now, read_back_at=read_back_at)
        case PushOutcome.ACCEPTED:
            return replace(settled, accepted_at=now, read_back_at=now + delay)
        case PushOutcome.REFUSED:
            return settled


def _with_results(
    learnt: Mapping[UUID, tuple[Attempt, PushResult]], again_at: Mapping[UUID, datetime]
) -> Change:
    def change(row: SyncRow) -> SyncRow:
        attempt, result = learnt[row.listing_id]
        if row.push_id != attempt.id:
            return row
        if result.outcome is PushOutcome.REFUSED:
            return _failed(row, "REFUSED", again_at[row.listing_id])
        return _stood(row, attempt, result)

    return change


def _stood(row: SyncRow, attempt: Attempt, result: PushResult) -> SyncRow:
    waits = row.wanted > attempt.generation
    return replace(
        row,
        done=attempt.generation,
        push_id=None,
        push_state=result.outcome.value,
        attempts=0,
        failures=0,
        next_try_at=None,
        waiting_since=row.waiting_since
        if waits or result.outcome is PushOutcome.ACCEPTED
        else None,
        base=base.after_write(row.base, attempt.quantity, result.at),
        believed=None,
        asked=False,
    )


def _failed(row: SyncRow, state: str, again_at: datetime, *, counts: bool = True) -> SyncRow:
    failures = min(row.failures + 1, 30_000) if counts else row.failures
    return replace(row, push_id=None, push_state=state, failures=failures, next_try_at=again_at)


async def _settle_failure(tx: Tx, batch: Batch, error: MallError, now: datetime) -> None:
    """The whole call failed. Of a batch refused for the sake of one item the others wait on, unharmed."""
    hit = [each for each in batch.attempts if _is_hit(batch, each, error)]
    decision = _decided(batch, error, hit, now)
    failed = {each.listing_id: _state_after(decision) for each in hit}
    states = {each.listing_id: failed.get(each.listing_id, "SUPERSEDED") for each in batch.attempts}
    settled = [
        Settled(
            each,
            states[each.listing_id],
            mall_code=error.mall_code,
            mall_message=error.mall_message,
        )
        for each in batch.attempts
    ]
    await pushes.settle(tx, batch.shop.id, settled)
    change = _with_failure(batch, failed, decision, now)
    await reconsider(tx, list(states), Why.SETTLED, now=now, change=change)
    error_id = await _report_failed(tx, batch, error, list(failed), decision, now)
    unsent = len(batch.attempts) - len(hit)
    if not is_worth_telling(error):
        await _note_bad(tx, batch, None, now, unsent=len(batch.attempts))
    elif isinstance(decision, Quarantine):
        await _note_bad(tx, batch, error_id, now, refused=len(hit), unsent=unsent)
    else:
        await _note_bad(tx, batch, error_id, now, failed=len(hit), unsent=unsent)


async def _note_bad(
    tx: Tx,
    batch: Batch,
    error_id: UUID | None,
    now: datetime,
    *,
    refused: int = 0,
    failed: int = 0,
    unsent: int = 0,
) -> None:
    """What of the batch is not good, in the run that sent it. `unsent`: waits on, as if it had never gone out."""
    await run_rows.note(
        tx,
        batch.shop.id,
        RunKind.REFLECT,
        batch.epoch,
        sent=-unsent,
        refused=refused,
        failed=failed,
        error_id=error_id,
        at=now,
    )


def _decided(
    batch: Batch, error: MallError, hit: Sequence[Attempt], now: datetime
) -> Retry | Halt | Quarantine:
    """How often the call failed is what its youngest attempt says: one item's long story keeps no other waiting."""
    decision = after_failure(error, min((each.attempts for each in hit), default=1), now=now)
    match decision:
        case Retry():
            return replace(decision, at=batch.shop.at_its_pace(decision.at, now))
        case Quarantine():
            return replace(decision, until=batch.shop.at_its_pace(decision.until, now))
        case Halt():
            return decision


def _is_hit(batch: Batch, attempt: Attempt, error: MallError) -> bool:
    """A refusal of many is about the item that the mall names, and about nobody where it names none."""
    if not isinstance(error, MallRefused) or len(batch.attempts) == 1:
        return True
    return error.item_ref is not None and error.item_ref == str(attempt.ref)


def _state_after(decision: Retry | Halt | Quarantine) -> str:
    match decision:
        case Retry(base_unknown=True):
            return PushState.UNKNOWN.value
        case Quarantine():
            return PushState.REFUSED.value
        case _:
            return PushState.SUPERSEDED.value


def _with_failure(
    batch: Batch,
    failed: Mapping[UUID, str],
    decision: Retry | Halt | Quarantine,
    now: datetime,
) -> Change:
    sent = {each.listing_id: each.id for each in batch.attempts}
    written = _between(batch.shop, batch.attempts[0].sent_at, now)

    def change(row: SyncRow) -> SyncRow:
        if row.push_id != sent[row.listing_id]:
            return row
        if row.listing_id not in failed:
            return _failed(row, PushState.SUPERSEDED.value, now, counts=False)
        return _after(row, failed[row.listing_id], decision, written, now)

    return change


def _between(shop: Shop, sent_at: datetime, now: datetime) -> MallTime:
    """When a write without an answer may have been applied, on the mall's clock."""
    offset = shop.clock_offset
    return MallTime(sent_at + offset - base.CLOCK_ERROR, now + offset + base.CLOCK_ERROR)


def _after(
    row: SyncRow,
    state: str,
    decision: Retry | Halt | Quarantine,
    written: MallTime,
    now: datetime,
) -> SyncRow:
    match decision:
        case Retry(base_unknown=False):
            return _failed(row, state, now, counts=decision.counts)
        case Retry():
            known = base.unknown(row.base, written)
            return replace(_failed(row, state, decision.at, counts=decision.counts), base=known)
        case Quarantine():
            return replace(_failed(row, state, decision.until), lane=decision.lane)
        case Halt():
            return _failed(row, state, now, counts=False)


async def _report_failed(
    tx: Tx,
    batch: Batch,
    error: MallError,
    hit: Sequence[UUID],
    decision: Retry | Halt | Quarantine,
    now: datetime,
) -> UUID | None:
    """The error that says so."""
    if isinstance(decision, Halt):
        return await shops.halt(tx, batch.shop, error, now=now)
    if isinstance(error, MallThrottled | MallUnavailable) and isinstance(decision, Retry):
        await _pause(tx, batch.shop, error, decision.at)
    error_id = None
    if hit:
        error_id = await sync_errors.report_failure(
            tx,
            error,
            Part.STOCK,
            shop_id=batch.shop.id,
            shop_name=batch.shop.name,
            listing_ids=hit,
            next_try_at=decision.until if isinstance(decision, Quarantine) else decision.at,
            now=now,
        )
    if isinstance(decision, Quarantine) and hit:
        await reflect_jobs.settled(tx, (), refused=hit, now=now)
    return error_id


async def _report_refused(
    tx: Tx,
    batch: Batch,
    results: Sequence[PushResult],
    again_at: Mapping[UUID, datetime],
    now: datetime,
) -> UUID | None:
    """One error for each of the mall's reasons, whatever the number of items; the last of them."""
    error_id = None
    by_code: dict[str, dict[UUID, PushResult]] = {}
    for attempt, result in zip(batch.attempts, results, strict=True):
        if attempt.listing_id in again_at:
            by_code.setdefault(result.mall_code, {})[attempt.listing_id] = result
    for code, refused in by_code.items():
        message = next(iter(refused.values())).mall_message
        error_id = await sync_errors.report_failure(
            tx,
            MallRefused("The mall refused the item.", mall_code=code, mall_message=message),
            Part.STOCK,
            shop_id=batch.shop.id,
            shop_name=batch.shop.name,
            listing_ids=list(refused),
            next_try_at=min(again_at[each] for each in refused),
            now=now,
        )
    return error_id


async def _pause(tx: Tx, shop: Shop, error: MallError, until: datetime) -> None:
    """The mall wants to be left alone: nothing is sent to the shop before then."""
    await shops_store.change(tx, shop.id, paused_until=until)
    closed = isinstance(error, MallUnavailable) and error.maintenance
    await shops.maintenance(tx, shop, on=closed)


async def _answered(tx: Tx, shop: Shop, now: datetime) -> None:
    """The mall is well."""
    await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, part=Part.STOCK, now=now)
    if shop.paused_until is not None:
        await shops_store.change(tx, shop.id, paused_until=None)
    await shops.maintenance(tx, shop, on=False)


def _shows(reading: StockReading | None, sent: Unread) -> bool:
    """What was sent, or what the mall's own sales have left of it since."""
    wanted = (sent.quantity, sent.base)
    return reading is not None and reading.found and reading.quantity in wanted


async def _note_seen(tx: Tx, shop: Shop, there: Sequence[Unread], now: datetime) -> None:
    listing_ids = [each.listing_id for each in there]

    def change(row: SyncRow) -> SyncRow:
        waits = row.wanted > row.done
        if row.push_state != PushState.ACCEPTED.value:
            return row
        since = row.waiting_since if waits else None
        return replace(row, push_state=PushState.APPLIED.value, waiting_since=since)

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
