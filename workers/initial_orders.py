"""初期受注取得 of one shop: window after window, as long as its turn lasts and ordinary orders are not due."""

import asyncio
from time import monotonic
from uuid import UUID

import structlog

from domain.model.errors import MallError
from domain.model.malls import OrderPage
from domain.services import initial_orders, polling
from domain.services.initial_orders import CalledOff, Fetch
from domain.services.polling import Poll, TurnLost
from domain.store.database import Tx
from workers import order_windows
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context

TURN_SECONDS = 30
OURS = "initial"
"""Tells this turn of the shop's importer from the ordinary one of the same process."""

log = structlog.get_logger(__name__)


async def fetch_initial_orders(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another importer's turn is left alone. A failure of ours is counted,
    and raised."""
    until = monotonic() + TURN_SECONDS
    while monotonic() < until and await _fetch_window(ctx, account_id, shop_id):
        pass


async def _fetch_window(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Was there a window, and was it taken in?"""

    async def begin(tx: Tx) -> Fetch | None:
        return await initial_orders.begin(tx, shop_id, f"{ctx.holder}:{OURS}", now=ctx.now())

    fetch = await ctx.db.run(account_id, begin)
    if fetch is None:
        return False
    try:
        await _walk(ctx, account_id, fetch)
    except CalledOff:
        return False
    except TurnLost:
        log.warning("initial_orders_turn_lost", shop=str(shop_id))
        return False
    except MallError as error:
        await _failed(ctx, account_id, fetch, error)
        return False
    except Exception:
        await _stumbled(ctx, account_id, fetch)
        raise
    finally:
        await asyncio.shield(_end(ctx, account_id, fetch))
    return True


async def _walk(ctx: Context, account_id: UUID, fetch: Fetch) -> None:
    mall = await ctx.malls.of(account_id, fetch.poll.shop)

    async def go_on() -> None:
        async with ctx.db.transaction(account_id) as tx:
            await polling.go_on(tx, fetch.poll)

    async def take(poll: Poll, page: OrderPage, _: OrderPage) -> None:
        async def work(tx: Tx) -> None:
            await initial_orders.took(tx, fetch, poll, page, now=ctx.now())

        await ctx.db.run(account_id, work)

    async with beating(BEAT_SECONDS, go_on):
        await order_windows.walk(mall, fetch.poll, take)


async def _failed(ctx: Context, account_id: UUID, fetch: Fetch, error: MallError) -> None:
    async def work(tx: Tx) -> None:
        await initial_orders.failed(tx, fetch, error, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _stumbled(ctx: Context, account_id: UUID, fetch: Fetch) -> None:
    async def work(tx: Tx) -> None:
        await initial_orders.stumbled(tx, fetch, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _end(ctx: Context, account_id: UUID, fetch: Fetch) -> None:
    async with ctx.db.transaction(account_id) as tx:
        await initial_orders.end(tx, fetch, now=ctx.now())
