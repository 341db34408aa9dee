"""A call that was answered: what became of each of its numbers, and of those who waited for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.model import base
from domain.model.base import Base
from domain.model.errors import MallRefused, kept
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallTime, PushOutcome, PushResult, WriteMode
from domain.model.read_back import Written, is_due, looked_at, lot
from domain.model.reflect import Quarantine, after_failure
from domain.model.sync_errors import Part
from domain.services import batch_runs, reflect_jobs, sync_errors
from domain.services.reading_back import MOST_READS
from domain.services.reflect import Batch, failed_row
from domain.services.sync import Change, Why, reconsider, unchanged
from domain.store import listing_fields, logs, loose_ends, pushes
from domain.store import shops as shops_store
from domain.store.database import Tx
from domain.store.loose_ends import LooseEnds
from domain.store.pushes import Attempt, Settled
from domain.store.shops import Shop
from domain.store.sync import SyncRow

Answered = Sequence[tuple[Attempt, PushResult]]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many numbers were refused, the error that says so, and whether errors of the shop are open otherwise."""

    refused: int
    error_id: UUID | None
    errors: bool


async def settle(tx: Tx, batch: Batch, results: Sequence[PushResult], *, now: datetime) -> bool:
    """As the mall answered, in the run that sent them. Are errors of the shop open?"""
    answers = await settle_each(tx, batch, results, now=now)
    if answers.refused:
        await batch_runs.note_bad(tx, batch, answers.error_id, now, refused=answers.refused)
    return answers.errors


async def settle_each(
    tx: Tx,
    batch: Batch,
    results: Sequence[PushResult],
    *,
    opened: Change = unchanged,
    now: datetime,
) -> Answers:
    """Each number as the mall answered it.

    `opened`: makes the row of a number that no call of its own carried as if one had.
    """
    answered = list(zip(batch.attempts, results, strict=True))
    again_at = _refused_until(batch.shop, answered, now)
    await _write(tx, batch.shop, answered, now)
    learn = _with_results(batch.shop, answered, again_at)
    listing_ids = [each.listing_id for each in batch.attempts]
    await reconsider(tx, listing_ids, Why.SETTLED, now=now, change=lambda row: learn(opened(row)))
    stood = [each for each in listing_ids if each not in again_at]
    ends = await _tie_up(tx, batch.shop, stood, list(again_at), now)
    error_id = await _report_refused(tx, batch.shop, answered, again_at, now)
    return Answers(len(again_at), error_id, ends.of_shop)


def _refused_until(shop: Shop, answered: Answered, now: datetime) -> dict[UUID, datetime]:
    """The listings whose numbers were refused, and when each is tried again."""
    return {
        attempt.listing_id: _again_at(shop, attempt, now)
        for attempt, result in answered
        if result.outcome is PushOutcome.REFUSED
    }


def _again_at(shop: Shop, attempt: Attempt, now: datetime) -> datetime:
    decision = after_failure(MallRefused("The mall refused the item."), attempt.attempts, now=now)
    assert isinstance(decision, Quarantine)
    return shop.at_its_pace(decision.until, now)


async def _write(tx: Tx, shop: Shop, answered: Answered, now: datetime) -> None:
    """The attempts, and the fields that went out with those that stand."""
    watched = await _watched(tx, shop, answered, now)
    await pushes.settle(tx, [_settled(shop, each, watched, now) for each in answered])
    stands = {
        attempt.listing_id: attempt.fields
        for attempt, result in answered
        if result.outcome is PushOutcome.APPLIED
    }
    await listing_fields.note_written(tx, stands)


async def _tie_up(
    tx: Tx, shop: Shop, stood: Sequence[UUID], refused: Sequence[UUID], now: datetime
) -> LooseEnds:
    """Whoever waited for these numbers waits no longer: jobs, errors, edits."""
    ends = await loose_ends.found(tx, shop.id, [*stood, *refused])
    if ends.errors:
        await sync_errors.mended(tx, shop.id, stood, now=now)
    if ends.jobs:
        await reflect_jobs.settled(tx, stood, refused=refused)
    if ends.edits:
        await logs.reflected(tx, stood, now)
    return ends


async def _watched(tx: Tx, shop: Shop, answered: Answered, now: datetime) -> set[UUID]:
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


def _with_results(shop: Shop, answered: Answered, again_at: Mapping[UUID, datetime]) -> Change:
    learnt = {attempt.listing_id: (attempt, _landing(shop, result)) for attempt, result in answered}

    def change(row: SyncRow) -> SyncRow:
        attempt, result = learnt[row.listing_id]
        if row.push_id != attempt.id:
            return row
        if result.outcome is PushOutcome.REFUSED:
            return failed_row(row, "REFUSED", again_at[row.listing_id])
        return _stood(row, attempt, result)

    return change


def _stood(row: SyncRow, attempt: Attempt, result: PushResult) -> SyncRow:
    return replace(
        row,
        done=attempt.generation,
        push_id=None,
        push_state=result.outcome.value,
        attempts=0,
        failures=0,
        next_try_at=None,
        waiting_since=_waits_since(row, attempt, result),
        base=_known(row.base, attempt, result.at),
        believed=None,
        asked=False,
    )


def _waits_since(row: SyncRow, attempt: Attempt, result: PushResult) -> datetime | None:
    """What is wanted beyond this number came after it was taken up: it has not waited for longer."""
    if row.wanted > attempt.generation:
        return attempt.sent_at
    return row.waiting_since if result.outcome is PushOutcome.ACCEPTED else None


def _known(known: Base, attempt: Attempt, at: MallTime) -> Base:
    if attempt.mode is WriteMode.RELATIVE:
        return base.after_delta(known, attempt.number, at)
    return base.after_write(known, attempt.quantity, at)


async def _report_refused(
    tx: Tx, shop: Shop, answered: Answered, again_at: Mapping[UUID, datetime], now: datetime
) -> UUID | None:
    """One error for each of the mall's reasons, whatever the number of items; the last of them."""
    error_id = None
    for refused in _by_reason(answered, again_at).values():
        result = next(iter(refused.values()))
        error_id = await sync_errors.report_failure(
            tx,
            MallRefused(
                "The mall refused the item.",
                mall_code=result.mall_code,
                mall_message=result.mall_message,
            ),
            Part.STOCK,
            shop_id=shop.id,
            shop_name=shop.name,
            listing_ids=list(refused),
            next_try_at=min(again_at[each] for each in refused),
            now=now,
        )
    return error_id


def _by_reason(answered: Answered, refused: Collection[UUID]) -> dict[str, dict[UUID, PushResult]]:
    by_code: dict[str, dict[UUID, PushResult]] = {}
    for attempt, result in answered:
        if attempt.listing_id in refused:
            by_code.setdefault(result.mall_code, {})[attempt.listing_id] = result
    return by_code
