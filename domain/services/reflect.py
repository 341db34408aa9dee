"""Sending what waits: claiming it, and what a holder left behind that died. No transaction waits on a mall (DESIGN §2.7).

A claim locks the rows that wait, notes their generation and their own newest number, and commits what will be sent. The
call is the worker's; what came of it is settled (settling.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from domain.model import base, breaker
from domain.model.mall_fields import travelling
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    ItemRef,
    MallTime,
    StockPush,
    WriteMode,
)
from domain.model.reflect import (
    FIRST_WAIT,
    LONGEST_WAIT,
    RISE_AFTER,
    UNKNOWN_WAIT,
    Lane,
    PushState,
    backoff,
    lands_by,
    write_mode,
)
from domain.model.shops import ShopState
from domain.model.sync_runs import RunKind
from domain.services import feeds, sync_runs
from domain.services.sync import Why, reconsider
from domain.store import pushes
from domain.store import shops as shops_store
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.pushes import Attempt, Sought
from domain.store.shops import Shop
from domain.store.sync import SyncRow

POLLS_FRESH = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """One call's worth of attempts, in the order in which they are sent."""

    shop: Shop
    epoch: int
    attempts: tuple[Attempt, ...]

    @property
    def pushes(self) -> list[StockPush]:
        return [StockPush(each.ref, each.number, each.mode, each.fields) for each in self.attempts]


def orders_are_fresh(shop: Shop, now: datetime) -> bool:
    """May other numbers than zero go out? A zero cannot put a sold unit back, any other number may (DESIGN §2.4).

    Of a shop that catches up nobody knows yet what its mall shows, nor what was sold elsewhere meanwhile.
    """
    if shop.state == ShopState.CATCHING_UP or shop.resyncs:
        return False
    if not shop.fetches_orders:
        return True
    allowed = MALL_SPECS[shop.mall].capabilities.order_freshness / shop.speed
    allowed = max(allowed, POLLS_FRESH * timedelta(seconds=shop.order_poll_seconds))
    return shop.orders_seen_at is not None and now - shop.orders_seen_at <= allowed


async def claim(tx: Tx, shop: Shop, epoch: int, *, at_most: int, now: datetime) -> Batch | None:
    """The most urgent numbers that may go out now, as committed attempts; None when nothing may."""
    if shop.stands_still or not shop.reflects:
        return None
    at_most = breaker.most_numbers(shop.failed_calls, at_most)
    rows = await pushes.due(tx, await _sought(tx, shop, at_most, now))
    if not rows:
        return None
    rows = _as_the_first(rows)
    attempts = _of_one_call(shop, await attempts_of(tx, shop, rows, now))
    since = {row.listing_id: row.waiting_since or now for row in rows}
    waiting_since = [since[attempt.listing_id] for attempt in attempts]
    await pushes.send(tx, shop.id, uuid4(), epoch, attempts, waiting_since)
    await run_rows.note(tx, shop.id, RunKind.REFLECT, epoch, sent=len(attempts), at=now)
    return Batch(shop, epoch, tuple(attempts))


async def waiting(tx: Tx, shop: Shop, *, at_most: int, now: datetime) -> list[int]:
    """The lanes of what a claim would take now, the most urgent first."""
    if shop.stands_still or not shop.reflects:
        return []
    return await pushes.waiting(tx, await _sought(tx, shop, at_most, now))


async def _sought(tx: Tx, shop: Shop, at_most: int, now: datetime) -> Sought:
    return Sought(
        shop=shop.id,
        now=now,
        last_lane=await _last_lane(tx, shop, now),
        watermark=shop.watermark,
        fetches_orders=shop.fetches_orders,
        risen_before=now - RISE_AFTER,
        at_most=at_most,
    )


async def leave_alone(tx: Tx, shop_id: UUID, until: datetime) -> None:
    """The mall has no room for a call of the shop before then."""
    await shops_store.change(tx, shop_id, paused_until=until)


async def _last_lane(tx: Tx, shop: Shop, now: datetime) -> Lane:
    """Of those that may go out now, call by call."""
    if not orders_are_fresh(shop, now):
        return Lane.TO_ZERO
    return Lane.DECREASE if await feeds.gathers(tx, shop, now=now) else Lane.OTHER


async def rest(tx: Tx, shop: Shop, *, now: datetime) -> None:
    """A mall that refuses one call after the other is left alone for a moment."""
    await shops_store.change(tx, shop.id, paused_until=shop.at_its_pace(now + FIRST_WAIT, now))


async def recover(tx: Tx, shop: Shop, epoch: int, *, now: datetime) -> None:
    """Attempts of a holder that died: nobody knows whether they were applied, so their base is unknown.

    A zero goes out again at once, the first time, and again when none of them can land any more, as everything else does;
    what is lost again and again waits ever longer.
    """
    lost = await pushes.lost(tx, shop.id, epoch)
    await sync_runs.cut_short(tx, shop.id, RunKind.REFLECT, epoch, unanswered=len(lost), now=now)
    if not lost:
        return
    await pushes.lose(tx, shop.id, [each.id for each in lost.values()])

    def change(row: SyncRow) -> SyncRow:
        attempt = lost[row.listing_id]
        if row.push_id != attempt.id:
            return row
        return unanswered_row(shop, row, attempt.sent_at, now)

    await reconsider(tx, list(lost), Why.SETTLED, now=now, change=change)


async def end(tx: Tx, shop_id: UUID, epoch: int, *, now: datetime) -> None:
    """The turn under this epoch is over."""
    await sync_runs.end(tx, shop_id, RunKind.REFLECT, epoch, now=now)


async def attempts_of(tx: Tx, shop: Shop, rows: Sequence[SyncRow], now: datetime) -> list[Attempt]:
    refs = await pushes.refs(tx, [row.listing_id for row in rows], travelling(shop.mall))
    return [_attempt(shop, row, *refs[row.listing_id], now) for row in rows]


def _as_the_first(rows: Sequence[SyncRow]) -> list[SyncRow]:
    """What was refused may be refused again, and its call with it: it goes out with its like, and holds up no other."""
    was_refused = _was_refused(rows[0])
    return [row for row in rows if _was_refused(row) is was_refused]


def _was_refused(row: SyncRow) -> bool:
    return row.push_state == PushState.REFUSED.value


def _of_one_call(shop: Shop, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Where a field goes with all items of a call or with none: those that bring what the most urgent one brings. The
    others are claimed next."""
    if not MALL_SPECS[shop.mall].capabilities.fields_for_all_or_none:
        return list(attempts)
    brought = attempts[0].fields.keys()
    return [each for each in attempts if each.fields.keys() == brought]


def _attempt(
    shop: Shop,
    row: SyncRow,
    attempt_id: UUID,
    ref: ItemRef,
    fields: Mapping[str, str],
    now: datetime,
) -> Attempt:
    assert row.expected is not None
    return Attempt(
        id=attempt_id,
        listing_id=row.listing_id,
        ref=ref,
        quantity=row.expected,
        mode=_mode(shop, row, now),
        generation=row.wanted,
        lane=row.lane,
        before=row.base.quantity,
        attempts=row.attempts + 1,
        sent_at=now,
        fields=fields,
    )


def _mode(shop: Shop, row: SyncRow, now: datetime) -> WriteMode:
    """What somebody asked for, whatever the mall shows, is absolute, and so is what follows a number that does not stand."""
    assert row.expected is not None
    goes_out_by_itself = row.own >= row.wanted
    stands = row.attempts == 0 and row.push_state != PushState.ACCEPTED.value
    return write_mode(
        row.expected,
        row.base.quantity,
        relative_on=shop.writes_changes,
        recent=base.carries_a_change(row.base, now + shop.clock_offset),
        clean=goes_out_by_itself and stands and row.believed is None,
    )


def unanswered_row(shop: Shop, row: SyncRow, sent_at: datetime, now: datetime) -> SyncRow:
    """What was sent at `sent_at` may stand, or may land late: a zero is repeated at once, once; the rest waits it out."""
    late_landing = MALL_SPECS[shop.mall].capabilities.late_landing / shop.speed
    over_at = lands_by(sent_at, now, late_landing) + base.CLOCK_ERROR
    again_at = shop.at_its_pace(now + backoff(row.attempts, UNKNOWN_WAIT, LONGEST_WAIT), now)
    if row.expected == 0 and row.attempts <= 1:
        again_at = now
    elif row.expected != 0:
        again_at = max(again_at, over_at + base.SURELY_LATER)
    offset = shop.clock_offset
    written = MallTime(sent_at + offset - base.CLOCK_ERROR, now + offset + base.CLOCK_ERROR)
    return replace(
        failed_row(row, PushState.UNKNOWN.value, again_at),
        base=base.unanswered(row.base, written, over_at + offset),
    )


def failed_row(row: SyncRow, state: str, again_at: datetime, *, counts: bool = True) -> SyncRow:
    failures = min(row.failures + 1, 30_000) if counts else row.failures
    return replace(row, push_id=None, push_state=state, failures=failures, next_try_at=again_at)
