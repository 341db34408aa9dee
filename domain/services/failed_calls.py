"""A call that failed: what becomes of the numbers that it carried."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model.errors import MallError, MallRefused, MallThrottled, MallUnavailable
from domain.model.reflect import Halt, PushState, Quarantine, Retry, after_failure
from domain.model.sync_errors import Part, is_worth_telling
from domain.services import batch_runs, reflect_jobs, shops, sync_errors
from domain.services.reflect import Batch, failed_row, unanswered_row
from domain.services.sync import Change, Why, reconsider
from domain.store import pushes
from domain.store import shops as shops_store
from domain.store.database import Tx
from domain.store.pushes import Attempt, Settled
from domain.store.shops import Shop
from domain.store.sync import SyncRow

Decision = Retry | Halt | Quarantine


async def settle(tx: Tx, batch: Batch, error: MallError, *, now: datetime) -> None:
    """Of a batch refused for the sake of one item the others wait on, unharmed."""
    hit = [each for each in batch.attempts if _is_hit(batch, each, error)]
    decision = _decided(batch, error, hit, now)
    failed = {each.listing_id: _state_after(decision) for each in hit}
    await pushes.settle(tx, _settled(batch, failed, error))
    change = _with_failure(batch, failed, decision, now)
    listing_ids = [each.listing_id for each in batch.attempts]
    rows = await reconsider(tx, listing_ids, Why.SETTLED, now=now, change=change)
    decision = _as_it_came(decision, [row for row in rows if row.listing_id in failed])
    error_id = await _report(tx, batch, error, list(failed), decision, now)
    await _note(tx, batch, error, len(hit), decision, error_id, now)


def _settled(batch: Batch, failed: Mapping[UUID, str], error: MallError) -> list[Settled]:
    return [
        Settled(
            each,
            failed.get(each.listing_id, PushState.SUPERSEDED.value),
            mall_code=error.mall_code,
            mall_message=error.mall_message,
        )
        for each in batch.attempts
    ]


async def _note(
    tx: Tx,
    batch: Batch,
    error: MallError,
    hit: int,
    decision: Decision,
    error_id: UUID | None,
    now: datetime,
) -> None:
    """In the run that sent them."""
    unsent = len(batch.attempts) - hit
    if not is_worth_telling(error):
        await batch_runs.note_bad(tx, batch, None, now, unsent=len(batch.attempts))
    elif isinstance(decision, Quarantine):
        await batch_runs.note_bad(tx, batch, error_id, now, refused=hit, unsent=unsent)
    else:
        await batch_runs.note_bad(tx, batch, error_id, now, failed=hit, unsent=unsent)


def _decided(batch: Batch, error: MallError, hit: Sequence[Attempt], now: datetime) -> Decision:
    """How often the call failed is what its youngest attempt says: one item's long story keeps no other waiting."""
    decision = after_failure(error, min((each.attempts for each in hit), default=1), now=now)
    match decision:
        case Retry():
            return replace(decision, at=batch.shop.at_its_pace(decision.at, now))
        case Quarantine():
            return replace(decision, until=batch.shop.at_its_pace(decision.until, now))
        case Halt():
            return decision


def _as_it_came(decision: Decision, rows: Sequence[SyncRow]) -> Decision:
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


def _state_after(decision: Decision) -> str:
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
    decision: Decision,
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


def _after(batch: Batch, row: SyncRow, state: str, decision: Decision, now: datetime) -> SyncRow:
    match decision:
        case Retry(base_unknown=False):
            return failed_row(row, state, now, counts=decision.counts)
        case Retry():
            return unanswered_row(batch.shop, row, batch.attempts[0].sent_at, now)
        case Quarantine():
            return replace(failed_row(row, state, decision.until), lane=decision.lane)
        case Halt():
            return failed_row(row, state, now, counts=False)


async def _report(
    tx: Tx,
    batch: Batch,
    error: MallError,
    hit: Sequence[UUID],
    decision: Decision,
    now: datetime,
) -> UUID | None:
    """The error that says so."""
    if isinstance(decision, Halt):
        return await shops.halt(tx, batch.shop, error, now=now)
    if isinstance(error, MallThrottled | MallUnavailable) and isinstance(decision, Retry):
        await _pause(tx, batch.shop, error, decision.at)
    if not hit:
        return None
    if isinstance(decision, Quarantine):
        await reflect_jobs.settled(tx, (), refused=hit)
    return await sync_errors.report_failure(
        tx,
        error,
        Part.STOCK,
        shop_id=batch.shop.id,
        shop_name=batch.shop.name,
        listing_ids=hit,
        next_try_at=decision.until if isinstance(decision, Quarantine) else decision.at,
        now=now,
    )


async def _pause(tx: Tx, shop: Shop, error: MallError, until: datetime) -> None:
    """The mall wants to be left alone: nothing is sent to the shop before then."""
    await shops_store.change(tx, shop.id, paused_until=until)
    closed = isinstance(error, MallUnavailable) and error.maintenance
    await shops.maintenance(tx, shop, on=closed)
