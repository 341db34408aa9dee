"""What came of a call: each number's own answer, or what stopped them all; in a second transaction (DESIGN §2.7).

Settling writes `done = the generation that was claimed`, so a change in between still waits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model import base, breaker
from domain.model.base import Base
from domain.model.errors import MallError, MallRefused, MallThrottled, MallUnavailable, kept
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    MallTime,
    PushOutcome,
    PushResult,
    WriteMode,
)
from domain.model.read_back import Written, is_due, looked_at, lot
from domain.model.reflect import (
    Halt,
    PushState,
    Quarantine,
    Retry,
    after_failure,
)
from domain.model.sync_errors import Part, is_worth_telling
from domain.model.sync_runs import RunKind
from domain.services import reflect_jobs, shops, sync_errors
from domain.services.reading_back import MOST_READS
from domain.services.reflect import Batch, failed_row, unanswered_row
from domain.services.sync import Change, Why, reconsider, unchanged
from domain.store import leases, listing_fields, pushes
from domain.store import shops as shops_store
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.pushes import Attempt, Settled
from domain.store.shops import Shop
from domain.store.sync import SyncRow


async def settle(
    tx: Tx,
    batch: Batch,
    outcome: Sequence[PushResult] | MallError,
    *,
    all_answered: bool = True,
    counts: bool = True,
    now: datetime,
) -> None:
    """What came of a call. A holder that lost its lease meanwhile writes to the log only.

    `all_answered`: so were the calls that went out together with it, so that the mall is well. `counts`: it says how the
    mall is; of calls that went out together and failed, one does, and none where others were answered.
    """
    shop = await shops_store.lock(tx, batch.shop.id)
    if shop is None or not await leases.holds(tx, shop.id, LeaseKind.REFLECT, batch.epoch):
        await pushes.lose(tx, batch.shop.id, [attempt.id for attempt in batch.attempts])
        return
    batch = replace(batch, shop=shop)
    if isinstance(outcome, MallError):
        await _settle_failure(tx, batch, outcome, now)
        if counts:
            await _note_call(tx, shop, outcome, now)
        return
    await _note_call(tx, shop, None, now)
    await _settle_results(tx, batch, outcome, now)
    if all_answered:
        await _answered(tx, shop, now)


async def _settle_results(
    tx: Tx, batch: Batch, results: Sequence[PushResult], now: datetime
) -> None:
    refused, error_id = await settle_each(tx, batch, results, now=now)
    if refused:
        await _note_bad(tx, batch, error_id, now, refused=refused)


async def settle_each(
    tx: Tx,
    batch: Batch,
    results: Sequence[PushResult],
    *,
    opened: Change = unchanged,
    now: datetime,
) -> tuple[int, UUID | None]:
    """Each number as the mall answered it. How many were refused, and the error that says so.

    `opened`: makes the row of a number that no call of its own carried as if one had.
    """
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
    learnt = {
        attempt.listing_id: (attempt, _landing(batch.shop, result)) for attempt, result in answered
    }
    with_results = _with_results(learnt, again_at)

    def change(row: SyncRow) -> SyncRow:
        return with_results(opened(row))

    await reconsider(tx, list(learnt), Why.SETTLED, now=now, change=change)
    stood = [each.listing_id for each in batch.attempts if each.listing_id not in again_at]
    await sync_errors.mended(tx, batch.shop.id, stood, now=now)
    await reflect_jobs.settled(tx, stood, refused=list(again_at), now=now)
    return len(again_at), await _report_refused(tx, batch, results, again_at, now)


def _again_at(shop: Shop, attempt: Attempt, now: datetime) -> datetime:
    decision = after_failure(MallRefused("The mall refused the item."), attempt.attempts, now=now)
    assert isinstance(decision, Quarantine)
    return shop.at_its_pace(decision.until, now)


async def _watched(
    tx: Tx, shop: Shop, answered: Sequence[tuple[Attempt, PushResult]], now: datetime
) -> set[UUID]:
    """Those of the applied numbers that are looked at all the same, where the mall tells what it shows."""
    applied = [each for each in answered if each[1].outcome is PushOutcome.APPLIED]
    if not applied or not MALL_SPECS[shop.mall].capabilities.reads_stock:
        return set()
    unheard_of = await _unheard_of(tx, shop, [attempt for attempt, _ in applied])
    written = [
        Written(
            attempt.id,
            attempt.quantity,
            attempt.before,
            again=attempt.attempts > 1,
            otherwise=result.quantity not in (None, attempt.quantity),
            unheard_of=attempt.listing_id in unheard_of,
            drawn=lot(attempt.ref, attempt.generation),
        )
        for attempt, result in applied
    ]
    due = is_due(shop.sampled_at, now) and any(not each.drops_to_zero for each in written)
    if due:
        await shops_store.change(tx, shop.id, sampled_at=now)
    return looked_at(written, one_in=shop.read_back_one_in, due=due)


async def _unheard_of(tx: Tx, shop: Shop, applied: Sequence[Attempt]) -> set[UUID]:
    """Listings of a mall that takes any code, and has told nothing of these."""
    first = [each.listing_id for each in applied if each.before is None]
    if not first or not MALL_SPECS[shop.mall].capabilities.takes_unknown_codes:
        return set()
    return await pushes.never_seen(tx, first)


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


def _landing(shop: Shop, result: PushResult) -> PushResult:
    """A number that is only queued lands at any time until it is seen, or given up: a sale until then may come before it,
    and be written over."""
    if result.outcome is not PushOutcome.ACCEPTED:
        return result
    longest = MOST_READS * MALL_SPECS[shop.mall].capabilities.usual_delay / shop.speed
    return replace(result, at=MallTime(result.at.earliest, result.at.latest + longest))


def _with_results(
    learnt: Mapping[UUID, tuple[Attempt, PushResult]], again_at: Mapping[UUID, datetime]
) -> Change:
    def change(row: SyncRow) -> SyncRow:
        attempt, result = learnt[row.listing_id]
        if row.push_id != attempt.id:
            return row
        if result.outcome is PushOutcome.REFUSED:
            return failed_row(row, "REFUSED", again_at[row.listing_id])
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
        base=_known(row.base, attempt, result.at),
        believed=None,
        asked=False,
    )


def _known(known: Base, attempt: Attempt, at: MallTime) -> Base:
    if attempt.mode is WriteMode.RELATIVE:
        return base.after_delta(known, attempt.number, at)
    return base.after_write(known, attempt.quantity, at)


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
    rows = await reconsider(tx, list(states), Why.SETTLED, now=now, change=change)
    decision = _as_it_came(decision, [row for row in rows if row.listing_id in failed])
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


def _as_it_came(
    decision: Retry | Halt | Quarantine, rows: Sequence[SyncRow]
) -> Retry | Halt | Quarantine:
    """What may still land is waited for: then the next try is when the first of the rows may go."""
    times = [row.next_try_at for row in rows if row.next_try_at is not None]
    if isinstance(decision, Retry) and decision.base_unknown and times:
        return replace(decision, at=min(times))
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

    def change(row: SyncRow) -> SyncRow:
        if row.push_id != sent[row.listing_id]:
            return row
        if row.listing_id not in failed:
            return failed_row(row, PushState.SUPERSEDED.value, now, counts=False)
        return _after(batch, row, failed[row.listing_id], decision, now)

    return change


def _after(
    batch: Batch, row: SyncRow, state: str, decision: Retry | Halt | Quarantine, now: datetime
) -> SyncRow:
    match decision:
        case Retry(base_unknown=False):
            return failed_row(row, state, now, counts=decision.counts)
        case Retry():
            return unanswered_row(batch.shop, row, batch.attempts[0].sent_at, now)
        case Quarantine():
            return replace(failed_row(row, state, decision.until), lane=decision.lane)
        case Halt():
            return failed_row(row, state, now, counts=False)


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
