"""Accepted is not applied: looking at the numbers that a mall has only queued (DESIGN §2.8)."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from domain.model.errors import MallError, MallOutcomeUnknown
from domain.model.mall_specs import MALL_SPECS
from domain.services import reading_back
from domain.store import pushes, shops
from domain.store.database import Tx
from domain.store.pushes import Unread
from domain.store.shops import Shop
from workers.context import Context
from workers.reflect import CALL_SECONDS, TURN_SECONDS
from workers.turns import again_and_again


async def read_back(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Until nothing is due, or the turn is over."""
    await again_and_again(TURN_SECONDS, lambda: _read_once(ctx, account_id, shop_id))


async def _read_once(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """One call's worth of accepted numbers: is there more? A mall that does not answer is asked again by the clock."""
    shop, asked = await _asked(ctx, account_id, shop_id)
    if shop is None or not asked or not shop.in_use or shop.stands_still:
        return False
    try:
        async with asyncio.timeout(CALL_SECONDS):
            mall = await ctx.malls.of(account_id, shop)
            readings = await mall.read_stock([each.ref for each in asked])
    except MallError as error:
        await _not_read(ctx, account_id, shop, asked, error)
        return False
    except TimeoutError:
        late = MallOutcomeUnknown(f"The mall did not answer within {CALL_SECONDS} s.")
        await _not_read(ctx, account_id, shop, asked, late)
        return False

    async def work(tx: Tx) -> None:
        await reading_back.read_back(tx, shop, asked, readings, now=ctx.now())

    await ctx.db.run(account_id, work)
    return len(asked) == MALL_SPECS[shop.mall].capabilities.max_reads_per_call


async def _not_read(
    ctx: Context, account_id: UUID, shop: Shop, asked: Sequence[Unread], error: MallError
) -> None:
    async def work(tx: Tx) -> None:
        await reading_back.not_read(tx, shop, asked, error, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _asked(ctx: Context, account_id: UUID, shop_id: UUID) -> tuple[Shop | None, list[Unread]]:
    async with ctx.db.transaction(account_id) as tx:
        shop = await shops.get(tx, shop_id)
        if shop is None:
            return None, []
        at_most = MALL_SPECS[shop.mall].capabilities.max_reads_per_call
        return shop, await pushes.unread(tx, shop_id, now=ctx.now(), at_most=at_most)
