"""One turn of sending what waits at one shop: claim, call, settle, until nothing waits or the turn is over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from uuid import UUID

from domain.model.errors import MallError, MallOutcomeUnknown, MallRefused
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import PushResult
from domain.model.reflect import MOST_CALLS_PER_BATCH
from domain.services import reflect, settling
from domain.services.reflect import Batch
from domain.store import leases, shops
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from workers.context import Context
from workers.throttle import urgent

CALL_SECONDS = 15
LEASE = timedelta(seconds=30)
MARGIN_SECONDS = 5
TURN_SECONDS = 45

Outcome = Sequence[PushResult] | MallError


@dataclass(slots=True)
class Turn:
    """One holder's turn. `at_most`: how many items go out next; halved while a batch is being split."""

    account_id: UUID
    shop_id: UUID
    epoch: int
    until: float
    at_most: int
    splits: int = 0


async def push_waiting(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another holder's turn is left alone."""
    turn = await _begin(ctx, account_id, shop_id)
    if turn is None:
        return
    try:
        while monotonic() < turn.until and await _push_once(ctx, turn):
            pass
    finally:
        await asyncio.shield(_end(ctx, turn))


async def _begin(ctx: Context, account_id: UUID, shop_id: UUID) -> Turn | None:
    async def work(tx: Tx) -> Turn | None:
        epoch = await leases.take(tx, shop_id, LeaseKind.REFLECT, ctx.holder, LEASE)
        shop = await shops.get(tx, shop_id)
        if epoch is None or shop is None:
            return None
        await reflect.recover(tx, shop, epoch, now=ctx.now())
        at_most = MALL_SPECS[shop.mall].capabilities.max_pushes_at_once
        return Turn(account_id, shop_id, epoch, monotonic() + TURN_SECONDS, at_most)

    return await ctx.db.run(account_id, work)


async def _push_once(ctx: Context, turn: Turn) -> bool:
    """Was there something to send, and may the turn go on?"""
    leased_until = monotonic() + LEASE.total_seconds()
    batch = await _claim(ctx, turn)
    if batch is None:
        return False
    calls = _calls(batch)
    if monotonic() + CALL_SECONDS + MARGIN_SECONDS > leased_until:
        late = MallOutcomeUnknown("The lease ran out before the call.")
        outcomes: Sequence[Outcome] = [late] * len(calls)
    else:
        outcomes = await asyncio.gather(*(_call(ctx, turn, each) for each in calls))
    await _settle(ctx, turn, list(zip(calls, outcomes, strict=True)))
    return _goes_on(turn, batch, outcomes)


def _calls(batch: Batch) -> list[Batch]:
    """The batch parted into what one call carries: several go out together where a call carries little."""
    size = MALL_SPECS[batch.shop.mall].capabilities.max_pushes_per_call
    starts = range(0, len(batch.attempts), size)
    return [replace(batch, attempts=batch.attempts[start : start + size]) for start in starts]


async def _claim(ctx: Context, turn: Turn) -> Batch | None:
    async def work(tx: Tx) -> Batch | None:
        if not await leases.renew(
            tx, turn.shop_id, LeaseKind.REFLECT, ctx.holder, turn.epoch, LEASE
        ):
            return None
        shop = await shops.get(tx, turn.shop_id)
        if shop is None or (shop.paused_until is not None and shop.paused_until > ctx.now()):
            return None
        return await reflect.claim(tx, shop, turn.epoch, at_most=turn.at_most, now=ctx.now())

    return await ctx.db.run(turn.account_id, work)


async def _call(ctx: Context, turn: Turn, batch: Batch) -> Outcome:
    """One call with one deadline. Whatever is not a clear answer is an unknown outcome."""
    try:
        with urgent(any(each.quantity == 0 for each in batch.attempts)):
            async with asyncio.timeout(CALL_SECONDS):
                mall = await ctx.malls.of(turn.account_id, batch.shop)
                return await mall.push_stock(batch.pushes)
    except MallError as error:
        return error
    except TimeoutError:
        return MallOutcomeUnknown(f"The mall did not answer within {CALL_SECONDS} s.")


async def _settle(ctx: Context, turn: Turn, calls: Sequence[tuple[Batch, Outcome]]) -> None:
    """What the mall answered is settled at once, each call that failed by itself."""
    answered, results = _answered(calls)
    failed = [(call, outcome) for call, outcome in calls if isinstance(outcome, MallError)]

    async def work(tx: Tx) -> None:
        if answered is not None:
            await settling.settle(tx, answered, results, all_answered=not failed, now=ctx.now())
        for nth, (call, error) in enumerate(failed):
            alone = answered is None and nth == 0
            await settling.settle(tx, call, error, counts=alone, now=ctx.now())

    await ctx.db.run(turn.account_id, work)


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
    whole = MALL_SPECS[batch.shop.mall].capabilities.max_pushes_at_once
    errors = [outcome for outcome in outcomes if isinstance(outcome, MallError)]
    if not errors or not all(isinstance(error, MallRefused) for error in errors):
        turn.at_most = min(whole, turn.at_most * 2)
        return not errors
    turn.splits += 1
    turn.at_most = max(1, len(batch.attempts) // 2)
    return turn.splits < MOST_CALLS_PER_BATCH


async def _end(ctx: Context, turn: Turn) -> None:
    async def work(tx: Tx) -> None:
        shop = await shops.lock(tx, turn.shop_id)
        if shop is not None and turn.splits >= MOST_CALLS_PER_BATCH:
            await reflect.rest(tx, shop, now=ctx.now())
        await reflect.end(tx, turn.shop_id, turn.epoch, now=ctx.now())
        await leases.give_back(tx, turn.shop_id, LeaseKind.REFLECT, ctx.holder, turn.epoch)

    await ctx.db.run(turn.account_id, work)
