"""One window of one shop's orders, page by page; then the open orders whose cancels no window would show."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import structlog

from domain.model.errors import MallError, MallOutcomeUnknown, MallRefused, MallUnavailable
from domain.model.malls import Mall, OrderPage
from domain.services import polling
from domain.services.polling import Poll, TurnLost
from domain.store.database import Tx
from workers.context import Context
from workers.throttle import urgent

PAGE_SECONDS = 60
WALKS = 3

log = structlog.get_logger(__name__)


async def fetch_orders(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Another importer's turn is left alone. A failure leaves the watermark where it was."""

    async def begin(tx: Tx) -> Poll | None:
        return await polling.begin(tx, shop_id, ctx.holder, now=ctx.now())

    poll = await ctx.db.run(account_id, begin)
    if poll is None:
        return
    try:
        with urgent():
            await _fetch(ctx, account_id, poll)
    except TurnLost:
        log.warning("orders_turn_lost", shop=str(shop_id))
    except MallError as error:
        await _failed(ctx, account_id, poll, error)
    finally:
        await asyncio.shield(_end(ctx, account_id, poll))


async def _fetch(ctx: Context, account_id: UUID, poll: Poll) -> None:
    mall = await ctx.malls.of(account_id, poll.shop)
    await _walk_all(ctx, account_id, poll, mall)
    await _reread(ctx, account_id, poll, mall)


async def _walk_all(ctx: Context, account_id: UUID, poll: Poll, mall: Mall) -> None:
    """Where the mall refuses so long a window, half of it: what is left follows at once."""
    try:
        await _walk_until_steady(ctx, account_id, poll, mall)
    except MallRefused:
        narrower = polling.narrower(poll)
        if narrower is None:
            raise
        await _walk_all(ctx, account_id, narrower, mall)


async def _walk_until_steady(ctx: Context, account_id: UUID, poll: Poll, mall: Mall) -> None:
    for _ in range(WALKS):
        if await _walk(ctx, account_id, poll, mall):
            return
    raise MallUnavailable("The order list kept changing while it was being read.")


async def _walk(ctx: Context, account_id: UUID, poll: Poll, mall: Mall) -> bool:
    """False when the mall's total changed on the way: a page may have slipped, so it is walked again."""
    pages = mall.orders_placed(poll.window)
    first: OrderPage | None = None
    while True:
        page = await _next(pages)
        if page is None:
            raise MallUnavailable("The order list ended before its last page.")
        first = first or page
        if page.total != first.total:
            return False
        await _take(ctx, account_id, poll, page, first)
        if page.last:
            return True


async def _next(pages: AsyncIterator[OrderPage]) -> OrderPage | None:
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await anext(pages, None)
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"No page of orders within {PAGE_SECONDS} s.") from error


async def _take(
    ctx: Context, account_id: UUID, poll: Poll, page: OrderPage, first: OrderPage
) -> None:
    async def work(tx: Tx) -> None:
        await polling.took(tx, poll, page, first, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _reread(ctx: Context, account_id: UUID, poll: Poll, mall: Mall) -> None:
    async with ctx.db.transaction(account_id) as tx:
        numbers = await polling.to_reread(tx, poll.shop, now=ctx.now())
    if numbers is None:
        return
    page = await _read(mall, numbers) if numbers else None

    async def work(tx: Tx) -> None:
        await polling.reread(tx, poll.shop, page, asked=numbers, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _read(mall: Mall, numbers: Sequence[str]) -> OrderPage:
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await mall.orders_by_number(numbers)
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"No orders by number within {PAGE_SECONDS} s.") from error


async def _failed(ctx: Context, account_id: UUID, poll: Poll, error: MallError) -> None:
    async def work(tx: Tx) -> None:
        await polling.failed(tx, poll.shop, error, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _end(ctx: Context, account_id: UUID, poll: Poll) -> None:
    async with ctx.db.transaction(account_id) as tx:
        await polling.end(tx, poll)
