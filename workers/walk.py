"""One turn of a walk through a shop's listings, part by part, until none is left or the turn is over."""

import asyncio
from time import monotonic
from uuid import UUID

from domain.services import walks
from domain.store import walks as walk_rows
from domain.store.database import Tx
from workers.context import Context

TURN_SECONDS = 45


async def walk_shop(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another worker's turn is left alone. A failure of ours is counted, and
    raised."""
    try:
        await _walk(ctx, account_id, shop_id)
    except Exception:
        await _stumbled(ctx, account_id, shop_id)
        raise
    except asyncio.CancelledError:
        await asyncio.shield(_put_down(ctx, account_id, shop_id))
        raise


async def _walk(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    until = monotonic() + TURN_SECONDS
    goes_on = False
    while await _do_part(ctx, account_id, shop_id, goes_on=goes_on):
        goes_on = True
        if monotonic() >= until:
            await _put_down(ctx, account_id, shop_id)
            return


async def _do_part(ctx: Context, account_id: UUID, shop_id: UUID, *, goes_on: bool) -> bool:
    async def work(tx: Tx) -> bool:
        return await walks.do_part(tx, shop_id, goes_on=goes_on, now=ctx.now())

    return await ctx.db.run(account_id, work)


async def _stumbled(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    async def work(tx: Tx) -> None:
        await walks.stumbled(tx, shop_id, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _put_down(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    async with ctx.db.transaction(account_id) as tx:
        await walk_rows.put_down(tx, shop_id, at=ctx.now())
