"""One turn of sending what waits at one shop: claim, call, settle, until nothing waits or the turn is over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from time import monotonic
from uuid import UUID

from domain.model.errors import MallError, MallOutcomeUnknown, MallRefused, MallThrottled
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import Capabilities, Mall, PushResult
from domain.model.reflect import MOST_CALLS_PER_BATCH, Lane
from domain.services import reflect, settling
from domain.services.reflect import Batch
from domain.store import leased_shops, leases, shops
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from workers import turns
from workers.context import Context
from workers.deadlines import answered_within
from workers.places import Places, holding
from workers.throttle import urgent

CALL_SECONDS = 15
LEASE = timedelta(seconds=30)
MARGIN_SECONDS = 5
TURN_SECONDS = 45
WAVES = 4
"""Of calls that go out together, after one claim: as many as the mall's limit has room for."""

NO_ROOM = timedelta(seconds=1)

Outcome = Sequence[PushResult] | MallError


@dataclass(slots=True)
class Turn:
    """One holder's turn. `at_most`: how many items go out next; halved while a batch is being split. `lanes`: of what
    waited when it was last looked at. `unsettled`: something was sent, and what came of it is not written yet. `is_over`: it
    was given back. `missed`: something came that it did not see, and that nobody else could take up."""

    account_id: UUID
    shop: Shop
    epoch: int
    until: float
    at_most: int
    lanes: Sequence[int]
    splits: int = 0
    unsettled: bool = False
    is_over: bool = False
    missed: bool = False

    @property
    def shop_id(self) -> UUID:
        return self.shop.id

    @property
    def mall(self) -> Capabilities:
        return MALL_SPECS[self.shop.mall].capabilities

    @property
    def calls(self) -> int:
        """That carry what waits: at least one."""
        return max(1, ceil(len(self.lanes) / self.mall.max_pushes_per_call))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A batch, the mall that it goes to, and until when its calls may begin."""

    batch: Batch
    mall: Mall
    begin_until: float
    gate: asyncio.Semaphore


async def push_waiting(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another holder's turn is left alone: that looks once more when it ends."""
    while await _take_turn(ctx, account_id, shop_id):
        pass


async def _take_turn(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Did something come that this turn did not see, and that nobody else could take up?"""

    async def begin(tx: Tx, shop_id: UUID, *, now: datetime) -> Turn | None:
        return await _begin(ctx, tx, shop_id, now)

    async def end(tx: Tx, turn: Turn, *, now: datetime) -> None:
        turn.missed = await _end(ctx, tx, turn, now)

    def is_over(turn: Turn) -> bool:
        return turn.is_over

    async with turns.turn(ctx, account_id, shop_id, begin, end, is_over=is_over) as turn:
        while turn and turn.lanes and monotonic() < turn.until and await _push_once(ctx, turn):
            pass
    return turn is not None and turn.missed


async def _begin(ctx: Context, tx: Tx, shop_id: UUID, now: datetime) -> Turn | None:
    tx.may_be_lost()
    taken = await leased_shops.take(tx, shop_id, LeaseKind.REFLECT, ctx.holder, LEASE)
    if taken is None:
        return None
    shop = taken.shop
    if not taken.clean:
        await reflect.recover(tx, shop, taken.epoch, now=now)
    lanes = await _looked(ctx, tx, shop)
    at_most = _whole(MALL_SPECS[shop.mall].capabilities)
    return Turn(tx.account_id, shop, taken.epoch, monotonic() + TURN_SECONDS, at_most, lanes)


def _whole(mall: Capabilities) -> int:
    """How many items one claim takes at most: one call's worth, or several calls' where each carries little."""
    waves = WAVES if mall.calls_at_once > 1 else 1
    return mall.max_pushes_at_once * waves


async def _looked(ctx: Context, tx: Tx, shop: Shop) -> list[int]:
    """Of the numbers that may go out now, so many lanes as tell how many calls they need."""
    if shop.paused_until is not None and shop.paused_until > ctx.now():
        return []
    mall = MALL_SPECS[shop.mall].capabilities
    at_most = _whole(mall) - mall.max_pushes_per_call + 1
    return await reflect.waiting(tx, shop, at_most=at_most, now=ctx.now())


async def _push_once(ctx: Context, turn: Turn) -> bool:
    """Was there something to send, and may the turn go on? The place in the mall's queue comes first."""
    try:
        places = await _places(ctx, turn)
    except MallThrottled as error:
        await _leave_alone(ctx, turn, error.retry_after or NO_ROOM)
        return False
    claimed = await _claim(ctx, turn, places)
    if claimed is None:
        return False
    calls = _calls(claimed.batch)
    with holding(places):
        outcomes = await asyncio.gather(*(_call(each, claimed) for each in calls))
    goes_on = _goes_on(turn, claimed.batch, outcomes)
    await _settle(ctx, turn, list(zip(calls, outcomes, strict=True)))
    return goes_on


async def _places(ctx: Context, turn: Turn) -> Places:
    """Raises MallThrottled when the mall has no room soon."""
    mall, queue = await ctx.malls.queue(turn.account_id, turn.shop)
    with urgent(turn.lanes[0] == Lane.TO_ZERO):
        return await queue.places(mall.write_buckets, turn.calls)


async def _leave_alone(ctx: Context, turn: Turn, length: timedelta) -> None:
    async def work(tx: Tx) -> None:
        await reflect.leave_alone(tx, turn.shop_id, ctx.now() + length)

    await ctx.db.run(turn.account_id, work)


def _calls(batch: Batch) -> list[Batch]:
    """The batch parted into what one call carries: several go out together where a call carries little."""
    size = MALL_SPECS[batch.shop.mall].capabilities.max_pushes_per_call
    starts = range(0, len(batch.attempts), size)
    return [replace(batch, attempts=batch.attempts[start : start + size]) for start in starts]


async def _claim(ctx: Context, turn: Turn, places: Places) -> Claimed | None:
    begin_until = monotonic() + LEASE.total_seconds() - CALL_SECONDS - MARGIN_SECONDS

    async def work(tx: Tx) -> Claimed | None:
        shop = await leased_shops.renew(
            tx, turn.shop_id, LeaseKind.REFLECT, ctx.holder, turn.epoch, LEASE
        )
        if shop is None or (shop.paused_until is not None and shop.paused_until > ctx.now()):
            return None
        at_most = min(turn.at_most, places.left * turn.mall.max_pushes_per_call)
        batch = await reflect.claim(tx, shop, turn.epoch, at_most=at_most, now=ctx.now())
        if batch is None:
            return None
        gate = asyncio.Semaphore(turn.mall.calls_at_once)
        return Claimed(batch, await ctx.malls.within(tx, shop), begin_until, gate)

    turn.unsettled = True
    claimed = await ctx.db.run(turn.account_id, work)
    turn.unsettled = claimed is not None
    return claimed


async def _call(batch: Batch, claimed: Claimed) -> Outcome:
    """One call with one deadline. Whatever is not a clear answer is an unknown outcome."""
    async with claimed.gate:
        if monotonic() > claimed.begin_until:
            return MallOutcomeUnknown("The lease ran out before the call.")
        return await _sent(batch, claimed.mall)


async def _sent(batch: Batch, mall: Mall) -> Outcome:
    try:
        with urgent(any(each.quantity == 0 for each in batch.attempts)):
            async with answered_within(CALL_SECONDS):
                return await mall.push_stock(batch.pushes)
    except MallError as error:
        return error


async def _settle(ctx: Context, turn: Turn, calls: Sequence[tuple[Batch, Outcome]]) -> None:
    """What the mall answered is settled at once, each call that failed by itself. With nothing left to send the turn is
    given back: whoever would take it meanwhile waits for that, so that nothing is missed."""

    async def work(tx: Tx) -> tuple[Shop | None, Sequence[int]]:
        shop = await _settled(ctx, tx, calls)
        lanes = await _looked(ctx, tx, shop) if shop else ()
        if shop is not None and _is_through(turn, lanes):
            await _give_back(ctx, tx, turn, clean=True)
        return shop, lanes

    shop, turn.lanes = await ctx.db.run(turn.account_id, work)
    turn.shop = shop or turn.shop
    turn.unsettled = False
    turn.is_over = _is_through(turn, turn.lanes)


def _is_through(turn: Turn, lanes: Sequence[int]) -> bool:
    """Nothing waits, and the mall need not be left alone."""
    return not lanes and turn.splits < MOST_CALLS_PER_BATCH


async def _settled(ctx: Context, tx: Tx, calls: Sequence[tuple[Batch, Outcome]]) -> Shop | None:
    """The shop as it is then; None where the lease was lost."""
    answered, results = _answered(calls)
    failed = [(call, outcome) for call, outcome in calls if isinstance(outcome, MallError)]
    shop = None
    if len(failed) + (answered is not None) > 1:
        await settling.hold(tx, [call for call, _ in calls])
    if answered is not None:
        shop = await settling.settle(tx, answered, results, all_answered=not failed, now=ctx.now())
    for nth, (call, error) in enumerate(failed):
        alone = answered is None and nth == 0
        shop = await settling.settle(tx, call, error, counts=alone, now=ctx.now())
    return shop


def _answered(
    calls: Sequence[tuple[Batch, Outcome]],
) -> tuple[Batch | None, list[PushResult]]:
    """The calls that were answered, as one."""
    good = [(call, told) for call, told in calls if not isinstance(told, MallError)]
    if not good:
        return None, []
    attempts = tuple(attempt for call, _ in good for attempt in call.attempts)
    return replace(good[0][0], attempts=attempts), [result for _, told in good for result in told]


def _goes_on(turn: Turn, batch: Batch, outcomes: Sequence[Outcome]) -> bool:
    """A batch that was refused for one unnamed item is sent again in halves, at most MOST_CALLS_PER_BATCH calls."""
    whole = _whole(turn.mall)
    errors = [outcome for outcome in outcomes if isinstance(outcome, MallError)]
    if not errors or not all(isinstance(error, MallRefused) for error in errors):
        turn.at_most = min(whole, turn.at_most * 2)
        return not errors
    turn.splits += 1
    turn.at_most = max(1, len(batch.attempts) // 2)
    return turn.splits < MOST_CALLS_PER_BATCH


async def _end(ctx: Context, tx: Tx, turn: Turn, now: datetime) -> bool:
    """Gives the turn back. Whoever could not take it meanwhile had written before what is looked for now."""
    tx.may_be_lost()
    shop = await shops.lock(tx, turn.shop_id)
    if shop is not None and turn.splits >= MOST_CALLS_PER_BATCH:
        await reflect.rest(tx, shop, now=now)
    await _give_back(ctx, tx, turn, clean=not turn.unsettled)
    return shop is not None and not turn.lanes and bool(await _looked(ctx, tx, shop))


async def _give_back(ctx: Context, tx: Tx, turn: Turn, *, clean: bool) -> None:
    await reflect.end(tx, turn.shop_id, turn.epoch, now=ctx.now())
    await leases.give_back(tx, turn.shop_id, LeaseKind.REFLECT, ctx.holder, turn.epoch, clean=clean)
