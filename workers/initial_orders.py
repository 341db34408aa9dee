"""初期受注取得 of one shop: window after window, as long as its turn lasts and ordinary orders are not due."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from domain.model.malls import OrderPage
from domain.services import initial_orders, polling
from domain.services.initial_orders import CalledOff, Fetch
from domain.services.polling import Poll
from domain.store.database import Tx
from workers import order_windows
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context
from workers.turns import again_and_again, turn

TURN_SECONDS = 30
OURS = "initial"
"""Tells this turn of the shop's importer from the ordinary one of the same process."""


async def fetch_initial_orders(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another importer's turn is left alone. A failure of ours is counted,
    and raised."""
    await again_and_again(TURN_SECONDS, lambda: _fetch_window(ctx, account_id, shop_id))


async def _fetch_window(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Was there a window, and was it taken in?"""

    async def begin(tx: Tx, shop_id: UUID, *, now: datetime) -> Fetch | None:
        return await initial_orders.begin(tx, shop_id, f"{ctx.holder}:{OURS}", now=now)

    taken_in = False
    async with turn(
        ctx,
        account_id,
        shop_id,
        begin,
        initial_orders.end,
        failed=initial_orders.failed,
        stumbled=initial_orders.stumbled,
    ) as fetch:
        if fetch is not None:
            with suppress(CalledOff):
                await _walk(ctx, account_id, fetch)
                taken_in = True
    return taken_in


async def _walk(ctx: Context, account_id: UUID, fetch: Fetch) -> None:
    mall = await ctx.malls.of(account_id, fetch.poll.shop)

    async def go_on() -> None:
        async with ctx.db.transaction(account_id) as tx:
            await polling.go_on(tx, fetch.poll)

    async def take(poll: Poll, page: OrderPage, _: OrderPage) -> None:
        async def work(tx: Tx) -> None:
            await initial_orders.took(tx, fetch, poll, page, now=ctx.now())

        await ctx.db.run(account_id, work)

    async with beating(BEAT_SECONDS, ctx.db.outage, go_on):
        recall = order_windows.recalling(ctx, account_id, fetch.poll.shop.id)
        await order_windows.walk(mall, fetch.poll, take, recall)
