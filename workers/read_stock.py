"""モール在庫の読み取り of one shop: call after call, until nothing is to be read or the turn is over."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

from domain.model.errors import MallError, MallOutcomeUnknown
from domain.model.malls import StockReading
from domain.services import readings
from domain.services.readings import Call
from domain.store.database import Tx
from workers.context import Context
from workers.reflect import CALL_SECONDS, TURN_SECONDS


async def read_stock(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. A failure of ours is counted, and raised."""
    until = monotonic() + TURN_SECONDS
    while monotonic() < until and await _read_once(ctx, account_id, shop_id):
        pass


async def _read_once(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Was there something to read, and did the mall answer?"""

    async def begin(tx: Tx) -> Call | None:
        return await readings.begin(tx, shop_id, now=ctx.now())

    call = await ctx.db.run(account_id, begin)
    if call is None:
        return False
    try:
        told = await _read(ctx, account_id, call)
        await _took(ctx, account_id, call, told)
    except MallError as error:
        await _failed(ctx, account_id, call, error)
        return False
    except Exception:
        await _stumbled(ctx, account_id, call)
        raise
    finally:
        await asyncio.shield(_put_back(ctx, account_id, call))
    return True


async def _read(ctx: Context, account_id: UUID, call: Call) -> Sequence[StockReading]:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            mall = await ctx.malls.of(account_id, call.shop)
            return await mall.read_stock([each.ref for each in call.asked])
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"The mall did not answer within {CALL_SECONDS} s.") from error


async def _took(ctx: Context, account_id: UUID, call: Call, told: Sequence[StockReading]) -> None:
    async def work(tx: Tx) -> None:
        await readings.took(tx, call, told, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _failed(ctx: Context, account_id: UUID, call: Call, error: MallError) -> None:
    async def work(tx: Tx) -> None:
        await readings.failed(tx, call, error, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _stumbled(ctx: Context, account_id: UUID, call: Call) -> None:
    async def work(tx: Tx) -> None:
        await readings.stumbled(tx, call, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _put_back(ctx: Context, account_id: UUID, call: Call) -> None:
    async with ctx.db.transaction(account_id) as tx:
        await readings.put_back(tx, call, now=ctx.now())
