"""One window of one shop's orders, page by page; then the open orders whose cancels no window would show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.model.errors import MallError
from domain.model.malls import Mall, OrderPage
from domain.services import drift, polling
from domain.services.polling import Poll
from domain.store.database import Tx
from workers import order_windows
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context
from workers.deadlines import answered_within
from workers.order_windows import PAGE_SECONDS, recalling
from workers.throttle import urgent
from workers.turns import turn


@dataclass(slots=True)
class Turn:
    """One importer's turn. `is_over`: it was given back with the window's last page."""

    account_id: UUID
    poll: Poll
    is_over: bool = False


async def fetch_orders(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Another importer's turn is left alone. A failure leaves the watermark where it was."""
    async with turn(
        ctx, account_id, shop_id, partial(_begin, ctx), _end, failed=_failed, is_over=_is_over
    ) as taken:
        if taken is None:
            return

        async def go_on() -> None:
            async with ctx.db.transaction(account_id) as tx:
                await polling.go_on(tx, taken.poll)

        async with beating(BEAT_SECONDS, ctx.db.outage, go_on):
            with urgent():
                await _fetch(ctx, taken)


async def _begin(ctx: Context, tx: Tx, shop_id: UUID, *, now: datetime) -> Turn | None:
    poll = await polling.begin(tx, shop_id, ctx.holder, now=now)
    return None if poll is None else Turn(tx.account_id, poll)


async def _end(tx: Tx, turn: Turn, *, now: datetime) -> None:
    await polling.end(tx, turn.poll, now=now)


async def _failed(tx: Tx, turn: Turn, error: MallError, *, now: datetime) -> None:
    await polling.failed(tx, turn.poll, error, now=now)


def _is_over(turn: Turn) -> bool:
    return turn.is_over


async def _fetch(ctx: Context, turn: Turn) -> None:
    mall = await ctx.malls.of(turn.account_id, turn.poll.shop)

    async def take(poll: Poll, page: OrderPage, first: OrderPage) -> None:
        async def work(tx: Tx) -> bool:
            return await polling.took(tx, poll, page, first, now=ctx.now())

        turn.is_over = await ctx.db.run(turn.account_id, work)

    recall = recalling(ctx, turn.account_id, turn.poll.shop.id)
    await order_windows.walk(mall, turn.poll, take, recall)
    if not turn.is_over:
        await _reread(ctx, turn.account_id, turn.poll, mall)
        await _decide(ctx, turn)


async def _decide(ctx: Context, turn: Turn) -> None:
    async def work(tx: Tx) -> None:
        await drift.decide(tx, turn.poll.shop.id, now=ctx.now())

    await ctx.db.run(turn.account_id, work)


async def _reread(ctx: Context, account_id: UUID, poll: Poll, mall: Mall) -> None:
    async with ctx.db.transaction(account_id) as tx:
        numbers = await polling.to_reread(tx, poll.shop, now=ctx.now())
    if numbers is None:
        return
    page = await _read(mall, numbers) if numbers else None

    async def work(tx: Tx) -> None:
        await polling.reread(tx, poll, page, asked=numbers, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _read(mall: Mall, numbers: Sequence[str]) -> OrderPage:
    async with answered_within(PAGE_SECONDS, "No orders by number"):
        return await mall.orders_by_number(numbers)
