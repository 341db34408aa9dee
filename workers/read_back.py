"""Accepted is not applied: looking at the numbers that a mall has only queued (DESIGN §2.8)."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from domain.model.errors import MallError
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import Mall, StockReading
from domain.services import reading_back
from domain.store import pushes, shops
from domain.store.database import Tx
from domain.store.pushes import Unread
from domain.store.shops import Shop
from workers.context import Context
from workers.deadlines import answered_within
from workers.reflect import CALL_SECONDS, TURN_SECONDS
from workers.turns import again_and_again

AT_ONCE = 100
"""Numbers that are looked at together, in several calls where one carries fewer: what they say is written once."""

Outcome = Sequence[StockReading] | MallError


async def read_back(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Until nothing is due, or the turn is over."""
    await again_and_again(TURN_SECONDS, lambda: _read_once(ctx, account_id, shop_id))


async def _read_once(ctx: Context, account_id: UUID, shop_id: UUID) -> bool:
    """Some of the accepted numbers: is there more? A mall that does not answer is asked again by the clock."""
    shop, asked = await _asked(ctx, account_id, shop_id)
    if shop is None or not asked or not shop.in_use or shop.stands_still:
        return False
    mall = await ctx.malls.of(account_id, shop)
    calls = _calls(shop, asked)
    outcomes = await asyncio.gather(*(_read(mall, call) for call in calls))
    told = list(zip(calls, outcomes, strict=True))

    async def work(tx: Tx) -> None:
        await _note(ctx, tx, shop, told)

    await ctx.db.run(account_id, work)
    failed = any(isinstance(outcome, MallError) for outcome in outcomes)
    return not failed and len(asked) == _at_most(shop)


def _calls(shop: Shop, asked: Sequence[Unread]) -> list[Sequence[Unread]]:
    size = MALL_SPECS[shop.mall].capabilities.max_reads_per_call
    return [asked[start : start + size] for start in range(0, len(asked), size)]


async def _read(mall: Mall, asked: Sequence[Unread]) -> Outcome:
    try:
        async with answered_within(CALL_SECONDS):
            return await mall.read_stock([each.ref for each in asked])
    except MallError as error:
        return error


async def _note(
    ctx: Context, tx: Tx, shop: Shop, told: Sequence[tuple[Sequence[Unread], Outcome]]
) -> None:
    """What was answered first: a mall that takes our key no more halts the shop."""
    answered = [(asked, shown) for asked, shown in told if not isinstance(shown, MallError)]
    failed = [(asked, error) for asked, error in told if isinstance(error, MallError)]
    if answered:
        asked = [each for looked_for, _ in answered for each in looked_for]
        readings = [each for _, shown in answered for each in shown]
        await reading_back.read_back(tx, shop, asked, readings, now=ctx.now())
    if failed:
        unread = [each for asked, _ in failed for each in asked]
        await reading_back.not_read(tx, shop, unread, failed[0][1], now=ctx.now())


async def _asked(ctx: Context, account_id: UUID, shop_id: UUID) -> tuple[Shop | None, list[Unread]]:
    async with ctx.db.transaction(account_id) as tx:
        shop = await shops.get(tx, shop_id)
        if shop is None:
            return None, []
        return shop, await pushes.unread(tx, shop_id, now=ctx.now(), at_most=_at_most(shop))


def _at_most(shop: Shop) -> int:
    return max(AT_ONCE, MALL_SPECS[shop.mall].capabilities.max_reads_per_call)
