"""モール在庫の読み取り of one shop: call after call, until nothing is to be read or the turn is over."""

from collections.abc import Sequence
from uuid import UUID

from domain.model.malls import StockReading
from domain.services import readings
from domain.services.readings import Call
from domain.store.database import Tx
from workers.context import Context
from workers.deadlines import answered_within
from workers.reflect import CALL_SECONDS, TURN_SECONDS
from workers.turns import again_and_again, turn


async def read_stock(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. A failure of ours is counted, and raised."""
    await again_and_again(TURN_SECONDS, lambda: _read_once(ctx, account_id, shop_id))


async def _read_once(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Was there something to read, and did the mall answer?"""
    told = False
    async with turn(
        ctx,
        account_id,
        shop_id,
        readings.begin,
        readings.put_back,
        failed=readings.failed,
        stumbled=readings.stumbled,
    ) as call:
        if call is not None:
            await _took(ctx, account_id, call, await _read(ctx, account_id, call))
            told = True
    return told


async def _read(ctx: Context, account_id: UUID, call: Call) -> Sequence[StockReading]:
    async with answered_within(CALL_SECONDS):
        mall = await ctx.malls.of(account_id, call.shop)
        return await mall.read_stock([each.ref for each in call.asked])


async def _took(ctx: Context, account_id: UUID, call: Call, told: Sequence[StockReading]) -> None:
    async def work(tx: Tx) -> None:
        await readings.took(tx, call, told, now=ctx.now())

    await ctx.db.run(account_id, work)
