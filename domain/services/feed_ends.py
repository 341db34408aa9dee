"""What became of a feed, number by number (DESIGN §2.6), in parts: whoever looks after it next goes on where this ended.

A number is settled as if a call of its own had carried it. Where the listing was sold or something else was sent for it
meanwhile, nobody can tell which of the two the mall took last: what it should show goes out, and once more when the feed's
number cannot land any more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model import base
from domain.model.errors import MallError, MallRefused
from domain.model.feeds import HELD, KEPT, FeedRowState
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import FeedState, MallTime, PushOutcome, PushResult
from domain.model.reflect import PushState
from domain.model.sync_errors import SyncErrorKind
from domain.model.sync_runs import RunKind
from domain.services import answered_calls, sync_errors, sync_runs
from domain.services.feeding import NO_LEASE, PART, Taken
from domain.services.reflect import Batch, failed_row
from domain.services.sync import Change, Why, reconsider
from domain.store import feeds, pushes, shops, sync
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.pushes import Attempt, Settled
from domain.store.shops import Shop
from domain.store.sync import SyncRow

OVERTAKEN = "Sold, or sent otherwise, while the feed was under way."


@dataclass(frozen=True, slots=True)
class Refusals:
    """The items that the mall did not take, by attempt: its code and words."""

    by_attempt: Mapping[UUID, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """Some of what a feed carried, their rows locked. `written`: when the mall may have taken it, on its own clock.
    `overtaken`: of these something was sold, or something else was sent, meanwhile."""

    shop: Shop
    written: MallTime
    alone: Sequence[Attempt]
    overtaken: Sequence[Attempt]

    @property
    def is_empty(self) -> bool:
        return not self.alone and not self.overtaken


async def refusals(tx: Tx, taken: Taken, state: FeedState) -> Refusals:
    """Of a feed that is done."""
    places = await feeds.at_places(tx, taken.feed, state.refused)
    return Refusals({attempt: state.refused[place] for place, attempt in places.items()})


async def settle_part(
    tx: Tx, taken: Taken, state: FeedState, refused: Refusals, *, now: datetime
) -> bool:
    """Some items of a feed that the mall has worked off. Is there more?"""
    part = await _part(tx, taken, now)
    if part is None or part.is_empty:
        return False
    written = MallTime(part.written.earliest, state.at.latest + _delay(part.shop))
    batch = Batch(part.shop, taken.feed.epoch, tuple(part.alone))
    results = [_result(each, refused.by_attempt.get(each.id), written) for each in part.alone]
    answers = await answered_calls.settle_each(
        tx, batch, results, opened=_opened(part.alone), now=now
    )
    await feeds.refused(tx, taken.feed, answers.refused)
    await _note(tx, part.shop, refused=answers.refused, error_id=answers.error_id, now=now)
    await _overtake(tx, part, _lands_by(taken, part, FeedRowState.DONE), now)
    return True


async def give_up_part(
    tx: Tx,
    taken: Taken,
    state: FeedRowState,
    error: MallError | None,
    *,
    told: bool = True,
    now: datetime,
) -> bool:
    """Some numbers of which nobody knows whether they stand: they are sent one by one, and again when the feed can land no
    more. Is there more? `state`: as what it ends. `told`: an error says so."""
    part = await _part(tx, taken, now)
    if part is None or part.is_empty:
        return False
    await _settled(tx, part.shop, part.alone, PushState.UNKNOWN, error)
    lands_by = _lands_by(taken, part, state)
    change = _lost(part.alone, part.written, lands_by, now)
    rows = await reconsider(tx, _ids(part.alone), Why.HAPPENED, now=now, change=change)
    waiting = [row.listing_id for row in rows if row.waits]
    error_id = await _report(tx, part.shop, waiting, error, now) if told else None
    await _note(tx, part.shop, failed=len(part.alone), error_id=error_id, now=now)
    await _overtake(tx, part, lands_by, now)
    return True


async def give_back_part(tx: Tx, taken: Taken, error: MallError, *, now: datetime) -> bool:
    """Some numbers of a feed that the mall does not have: they wait as before. Is there more?

    Where the mall says that it does not take them so, they go one by one, and an error says that.
    """
    part = await _part(tx, taken, now)
    if part is None or part.is_empty:
        return False
    every = [*part.alone, *part.overtaken]
    for_good = isinstance(error, MallRefused)
    await _settled(tx, part.shop, every, PushState.SUPERSEDED, error)
    change = _given_back(part.alone, now, counts=for_good)
    rows = await reconsider(tx, _ids(every), Why.SETTLED, now=now, change=change)
    error_id = None
    if for_good:
        waiting = [row.listing_id for row in rows if row.waits]
        error_id = await _report(tx, part.shop, waiting, error, now)
    await _note(tx, part.shop, sent=-len(every), error_id=error_id, now=now)
    return True


async def end(
    tx: Tx, taken: Taken, state: FeedRowState, error: MallError | None = None, *, now: datetime
) -> None:
    """It carries nothing any more; what ended long ago is forgotten. Nothing, where it is another's by now."""
    code, message = (error.mall_code, error.mall_message) if error else ("", "")
    if await feeds.end(tx, taken.feed, state, code, message, now=now):
        await feeds.forget(tx, taken.shop.id, before=now - KEPT)
        await sync_runs.end(tx, taken.shop.id, RunKind.FEED, NO_LEASE, now=now)


async def _part(tx: Tx, taken: Taken, now: datetime) -> Part | None:
    """None: the feed is another's by now."""
    shop = await shops.lock(tx, taken.shop.id) or taken.shop
    if not await feeds.keep(tx, taken.feed, until=now + HELD):
        return None
    attempts = await feeds.carried(tx, taken.feed, at_most=PART)
    rows = {row.listing_id: row for row in await sync.lock(tx, _ids(attempts))}

    written = _written(shop, taken, now)
    alone: list[Attempt] = []
    overtaken: list[Attempt] = []
    for each in attempts:
        is_overtaken = _is_overtaken(rows[each.listing_id], each, written)
        (overtaken if is_overtaken else alone).append(each)
    return Part(shop, written, alone, overtaken)


def _is_overtaken(row: SyncRow, attempt: Attempt, written: MallTime) -> bool:
    sold_until = row.base.changed_until
    was_sold = sold_until is not None and sold_until >= written.earliest
    return was_sold or row.claimed > attempt.generation


async def _overtake(tx: Tx, part: Part, lands_by: datetime, now: datetime) -> None:
    """What these listings should show goes out, whatever was sent: a zero among it."""
    if not part.overtaken:
        return
    error = MallError(OVERTAKEN, mall_message=OVERTAKEN)
    await _settled(tx, part.shop, part.overtaken, PushState.UNKNOWN, error)

    def change(row: SyncRow) -> SyncRow:
        unknown = base.unanswered(row.base, part.written, lands_by)
        return replace(row, feed_id=None, base=unknown)

    await reconsider(tx, _ids(part.overtaken), Why.HAPPENED, now=now, change=change)


def _opened(attempts: Sequence[Attempt]) -> Change:
    """As if each had gone out by a call of its own, and that had not been answered yet."""
    by_listing = {each.listing_id: each for each in attempts}

    def opened(row: SyncRow) -> SyncRow:
        attempt = by_listing[row.listing_id]
        before = min(row.done, attempt.generation - 1)
        return replace(row, feed_id=None, push_id=attempt.id, done=before)

    return opened


def _lost(
    attempts: Sequence[Attempt], written: MallTime, lands_by: datetime, now: datetime
) -> Change:
    """Nothing waits for a feed that may never land: what is sent at once leaves the counter unknown until `lands_by`."""
    opened = _opened(attempts)

    def lost(row: SyncRow) -> SyncRow:
        unknown = base.unanswered(row.base, written, lands_by)
        return replace(failed_row(opened(row), PushState.SUPERSEDED.value, now), base=unknown)

    return lost


def _lands_by(taken: Taken, part: Part, state: FeedRowState) -> datetime:
    """Until when what it carried may come to stand. One that was given up may still be worked off: as long as a feed is
    waited for."""
    delay = _delay(part.shop)
    if state is FeedRowState.LOST:
        delay = taken.limits.lost_after / max(part.shop.speed, 1)
    return part.written.latest + delay


def _given_back(attempts: Sequence[Attempt], now: datetime, *, counts: bool) -> Change:
    opened = _opened(attempts)
    alone = set(_ids(attempts))

    def given_back(row: SyncRow) -> SyncRow:
        if row.listing_id not in alone:
            return replace(row, feed_id=None)
        return failed_row(opened(row), PushState.SUPERSEDED.value, now, counts=counts)

    return given_back


def _written(shop: Shop, taken: Taken, now: datetime) -> MallTime:
    """When the mall may have taken what it carried, on its own clock."""
    sent_at, offset = taken.feed.facts.sent_at, shop.clock_offset
    return MallTime(sent_at + offset - base.CLOCK_ERROR, now + offset + base.CLOCK_ERROR)


def _delay(shop: Shop) -> timedelta:
    """What the mall has worked off is shown within it."""
    return MALL_SPECS[shop.mall].capabilities.usual_delay / max(shop.speed, 1)


def _result(attempt: Attempt, refusal: tuple[str, str] | None, at: MallTime) -> PushResult:
    if refusal is None:
        return PushResult(attempt.ref, PushOutcome.APPLIED, at)
    code, message = refusal
    return PushResult(attempt.ref, PushOutcome.REFUSED, at, None, code, message)


async def _settled(
    tx: Tx,
    shop: Shop,
    attempts: Sequence[Attempt],
    state: PushState,
    error: MallError | None,
) -> None:
    code, message = (error.mall_code, error.mall_message) if error else ("", "")
    settled = [
        Settled(each, state.value, mall_code=code, mall_message=message) for each in attempts
    ]
    await pushes.settle(tx, settled)


async def _report(
    tx: Tx, shop: Shop, listing_ids: Collection[UUID], error: MallError | None, now: datetime
) -> UUID | None:
    if not listing_ids:
        return None
    return await sync_errors.report(
        tx,
        SyncErrorKind.FEED_FAILED,
        shop_id=shop.id,
        shop_name=shop.name,
        listing_ids=listing_ids,
        count=len(listing_ids),
        error=error,
        now=now,
    )


async def _note(
    tx: Tx,
    shop: Shop,
    *,
    sent: int = 0,
    refused: int = 0,
    failed: int = 0,
    error_id: UUID | None,
    now: datetime,
) -> None:
    await run_rows.note(
        tx,
        shop.id,
        RunKind.FEED,
        NO_LEASE,
        sent=sent,
        refused=refused,
        failed=failed,
        error_id=error_id,
        at=now,
    )


def _ids(attempts: Sequence[Attempt]) -> list[UUID]:
    return [each.listing_id for each in attempts]
