"""One shop's feed: put together and handed over, or asked after, until it has ended (DESIGN §2.6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.model.errors import (
    MallError,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
)
from domain.model.feeds import FeedRowState, Step
from domain.model.malls import Feeds, FeedStage, FeedState, StockPush
from domain.model.reflect import Halt, Quarantine, after_failure
from domain.services import feed_ends, feeding, shops
from domain.services.feeding import Taken
from domain.store.database import Tx
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context
from workers.deadlines import answered_within
from workers.reflect import CALL_SECONDS
from workers.turns import turn

HAND_OVER_SECONDS = 60
"""The document of 25,000 numbers has some megabytes."""

Answer = TypeVar("Answer")
EndPart = Callable[[Tx], Awaitable[bool]]


@dataclass(slots=True)
class Turn:
    """`is_over`: when it goes on is written down; or it failed through a fault of ours, and waits until it is nobody's."""

    taken: Taken
    is_over: bool = False


async def tend_feed(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again: what a feed carries is committed, and its time comes again."""
    async with turn(ctx, account_id, shop_id, _take, _put_down, is_over=_is_over) as mine:
        if mine is None:
            return
        try:
            await _step(ctx, account_id, mine.taken)
            mine.is_over = True
        except Exception:
            mine.is_over = True
            raise


async def _take(tx: Tx, shop_id: UUID, *, now: datetime) -> Turn | None:
    taken = await feeding.take(tx, shop_id, now=now)
    return None if taken is None else Turn(taken)


async def _put_down(tx: Tx, turn: Turn, *, now: datetime) -> None:
    await feeding.put_down(tx, turn.taken, now=now)


def _is_over(turn: Turn) -> bool:
    return turn.is_over


async def _step(ctx: Context, account_id: UUID, taken: Taken) -> None:
    match taken.step:
        case Step.PUT_TOGETHER:
            await _put_together(ctx, account_id, taken)
        case Step.ASK:
            await _ask(ctx, account_id, taken)
        case Step.WAIT:
            await _wait(ctx, account_id, taken)
        case Step.GIVE_UP:
            await _give_up(ctx, account_id, taken, FeedRowState.LOST)
        case Step.LET_GO:
            await _give_up(ctx, account_id, taken, FeedRowState.LOST, told=False)
        case Step.DROP:
            await _drop(ctx, account_id, taken)


async def _put_together(ctx: Context, account_id: UUID, taken: Taken) -> None:
    items = await _gather(ctx, account_id, taken)
    if items is None:
        return
    if items == 0:
        await _drop(ctx, account_id, taken)
        return
    try:
        name = await _called(ctx, account_id, taken, _hand_over(ctx, account_id, taken))
    except (MallOutcomeUnknown, MallMalformed) as error:
        await _give_up(ctx, account_id, taken, FeedRowState.LOST, error)
    except MallError as error:
        await _give_back(ctx, account_id, taken, error)
    else:
        await _handed_over(ctx, account_id, taken, name)


async def _drop(ctx: Context, account_id: UUID, taken: Taken) -> None:
    async def work(tx: Tx) -> None:
        await feeding.drop(tx, taken)

    await ctx.db.run(account_id, work)


async def _gather(ctx: Context, account_id: UUID, taken: Taken) -> int | None:
    """How many numbers it carries. None: it is another's by now."""
    items = 0
    while items + feeding.PART <= taken.limits.most:
        added = await ctx.db.run(account_id, lambda tx: feeding.add_part(tx, taken, now=ctx.now()))
        if added is None:
            return None
        items += added
        if added < feeding.PART:
            break
    return items


async def _document(ctx: Context, account_id: UUID, taken: Taken) -> list[StockPush]:
    pushes: list[StockPush] = []
    after: UUID | None = None
    while True:
        async with ctx.db.transaction(account_id) as tx:
            some = await feeding.document_part(tx, taken, after)
        if not some:
            return pushes
        pushes += [push for _, push in some]
        after = some[-1][0]


async def _called(ctx: Context, account_id: UUID, taken: Taken, call: Awaitable[Answer]) -> Answer:
    """What the mall answers. Whether it did says how it is, as any other call does."""
    try:
        answer = await call
    except MallError as error:
        await _note_call(ctx, account_id, taken, error)
        raise
    if taken.shop.failed_calls:
        await _note_call(ctx, account_id, taken, None)
    return answer


async def _note_call(ctx: Context, account_id: UUID, taken: Taken, error: MallError | None) -> None:
    async def work(tx: Tx) -> None:
        await feeding.called(tx, taken, error, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _hand_over(ctx: Context, account_id: UUID, taken: Taken) -> str:
    async def go_on() -> None:
        async with ctx.db.transaction(account_id) as tx:
            await feeding.go_on(tx, taken, now=ctx.now())

    async with beating(BEAT_SECONDS, ctx.db.outage, go_on):
        pushes = await _document(ctx, account_id, taken)
        feeds = await _feeds(ctx, account_id, taken)
        async with answered_within(HAND_OVER_SECONDS, "The mall did not take the feed"):
            return await feeds.begin(pushes)


async def _handed_over(ctx: Context, account_id: UUID, taken: Taken, name: str) -> None:
    async def work(tx: Tx) -> None:
        await feeding.handed_over(tx, taken, name, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _ask(ctx: Context, account_id: UUID, taken: Taken) -> None:
    try:
        state = await _called(ctx, account_id, taken, _state(ctx, account_id, taken))
    except (MallRefused, MallMalformed) as error:
        await _give_up(ctx, account_id, taken, FeedRowState.LOST, error)
        return
    except MallError as error:
        await _not_told(ctx, account_id, taken, error)
        return
    match state.stage:
        case FeedStage.RUNNING:
            await _wait(ctx, account_id, taken, asked=True)
        case FeedStage.DONE if state.processed >= taken.feed.facts.items:
            await _settle(ctx, account_id, taken, state)
        case FeedStage.DONE | FeedStage.FAILED:
            await _give_up(ctx, account_id, taken, FeedRowState.FAILED, _failed(state))
        case FeedStage.UNHEARD_OF:
            await _give_up(ctx, account_id, taken, FeedRowState.LOST)


async def _state(ctx: Context, account_id: UUID, taken: Taken) -> FeedState:
    assert taken.feed.name is not None
    async with answered_within(CALL_SECONDS):
        return await (await _feeds(ctx, account_id, taken)).state(taken.feed.name)


def _failed(state: FeedState) -> MallError:
    return MallError(
        "The feed ended as a whole.", mall_code=state.mall_code, mall_message=state.mall_message
    )


async def _feeds(ctx: Context, account_id: UUID, taken: Taken) -> Feeds:
    mall = await ctx.malls.of(account_id, taken.shop)
    assert mall.feeds is not None
    return mall.feeds


async def _wait(ctx: Context, account_id: UUID, taken: Taken, *, asked: bool = False) -> None:
    async def work(tx: Tx) -> None:
        await feeding.look_again(tx, taken, asked=asked, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _not_told(ctx: Context, account_id: UUID, taken: Taken, error: MallError) -> None:
    """The mall did not say how far it is: that says nothing of the feed."""

    async def work(tx: Tx) -> None:
        now = ctx.now()
        decision = after_failure(error, 1, now=now)
        if isinstance(decision, Halt):
            await shops.halt(tx, taken.shop, error, now=now)
            await feeding.look_again(tx, taken, asked=True, now=now)
            return
        until = decision.until if isinstance(decision, Quarantine) else decision.at
        at = taken.shop.at_its_pace(until, now)
        await feeding.look_again(tx, taken, at=at, asked=True, now=now)

    await ctx.db.run(account_id, work)


async def _settle(ctx: Context, account_id: UUID, taken: Taken, state: FeedState) -> None:
    async with ctx.db.transaction(account_id) as tx:
        refused = await feed_ends.refusals(tx, taken, state)

    async def part(tx: Tx) -> bool:
        return await feed_ends.settle_part(tx, taken, state, refused, now=ctx.now())

    await _in_parts(ctx, account_id, part)
    await _end(ctx, account_id, taken, FeedRowState.DONE)


async def _give_up(
    ctx: Context,
    account_id: UUID,
    taken: Taken,
    state: FeedRowState,
    error: MallError | None = None,
    *,
    told: bool = True,
) -> None:
    async def part(tx: Tx) -> bool:
        return await feed_ends.give_up_part(tx, taken, state, error, told=told, now=ctx.now())

    await _in_parts(ctx, account_id, part)
    await _end(ctx, account_id, taken, state, error)


async def _give_back(ctx: Context, account_id: UUID, taken: Taken, error: MallError) -> None:
    async def part(tx: Tx) -> bool:
        return await feed_ends.give_back_part(tx, taken, error, now=ctx.now())

    await _in_parts(ctx, account_id, part)
    await _end(ctx, account_id, taken, FeedRowState.FAILED, error)


async def _in_parts(ctx: Context, account_id: UUID, part: EndPart) -> None:
    while await ctx.db.run(account_id, part):
        pass


async def _end(
    ctx: Context,
    account_id: UUID,
    taken: Taken,
    state: FeedRowState,
    error: MallError | None = None,
) -> None:
    async def work(tx: Tx) -> None:
        if isinstance(error and after_failure(error, 1, now=ctx.now()), Halt):
            assert error is not None
            await shops.halt(tx, taken.shop, error, now=ctx.now())
        await feed_ends.end(tx, taken, state, error, now=ctx.now())

    await ctx.db.run(account_id, work)
