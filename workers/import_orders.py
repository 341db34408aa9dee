"""One window of one shop's orders, page by page; then the open orders whose cancels no window would show."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.model.errors import MallOutcomeUnknown
from domain.model.malls import Mall, OrderPage
from domain.services import drift, polling
from domain.services.polling import Poll
from domain.store.database import Tx
from workers import order_windows
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context
from workers.order_windows import PAGE_SECONDS
from workers.throttle import urgent
from workers.turns import turn


async def fetch_orders(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Another importer's turn is left alone. A failure leaves the watermark where it was."""

    async def begin(tx: Tx, shop_id: UUID, *, now: datetime) -> Poll | None:
        return await polling.begin(tx, shop_id, ctx.holder, now=now)

    async with turn(ctx, account_id, shop_id, begin, polling.end, failed=polling.failed) as poll:
        if poll is None:
            return

        async def go_on() -> None:
            async with ctx.db.transaction(account_id) as tx:
                await polling.go_on(tx, poll)

        async with beating(BEAT_SECONDS, go_on):
            with urgent():
                await _fetch(ctx, account_id, poll)


async def _fetch(ctx: Context, account_id: UUID, poll: Poll) -> None:
    mall = await ctx.malls.of(account_id, poll.shop)

    async def take(poll: Poll, page: OrderPage, first: OrderPage) -> None:
        async def work(tx: Tx) -> None:
            await polling.took(tx, poll, page, first, now=ctx.now())

        await ctx.db.run(account_id, work)

    await order_windows.walk(mall, poll, take)
    await _reread(ctx, account_id, poll, mall)

    async def decide(tx: Tx) -> None:
        await drift.decide(tx, poll.shop.id, now=ctx.now())

    await ctx.db.run(account_id, decide)


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
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await mall.orders_by_number(numbers)
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"No orders by number within {PAGE_SECONDS} s.") from error
