"""A walk through a large shop, done by workers that may die on the way."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.model.errors import MallLockedOut
from domain.services import accounts, shops
from domain.store.database import Database, Tx
from tests.domain.services.crowds import MANY, a_large_shop
from tests.workers.town import at_work, eventually, now
from workers.context import Context
from workers.walk import walk_shop

DEAD = MallLockedOut("The key is dead.", mall_message="AuthError")


@pytest.fixture
async def account(db: Database) -> UUID:
    return await accounts.create_account(db, f"walk-{uuid4().hex[:8]}", "Walk")


async def halted(db: Database, account: UUID) -> UUID:
    """A large shop whose credentials died."""

    async def work(tx: Tx) -> UUID:
        shop = await a_large_shop(tx)
        await shops.halt(tx, shop, DEAD, now=now())
        return shop.id

    return await db.run(account, work)


async def known(db: Database, account: UUID) -> int:
    """Of how many listings we believe to know what the mall shows."""
    async with db.transaction(account) as tx:
        query = text("SELECT count(*) FROM listing_sync WHERE base IS NOT NULL")
        return int(await tx.scalar(query))


async def over(db: Database, account: UUID) -> bool:
    async with db.transaction(account) as tx:
        return await tx.scalar(text("SELECT count(*) FROM shop_walks")) == 0


async def test_a_turn_walks_to_the_end(ctx: Context, account: UUID) -> None:
    shop = await halted(ctx.db, account)
    assert await known(ctx.db, account) == MANY

    await walk_shop(ctx, account, shop)

    assert (await known(ctx.db, account), await over(ctx.db, account)) == (0, True)


async def test_another_worker_goes_on_where_one_was_cut_off(ctx: Context, account: UUID) -> None:
    shop = await halted(ctx.db, account)
    async with ctx.db.transaction(account) as tx:
        last = text(
            "SELECT listing_id FROM listing_sync ORDER BY listing_id DESC LIMIT 1 FOR UPDATE"
        )
        await tx.execute(last)
        first = asyncio.create_task(walk_shop(ctx, account, shop))
        await eventually(lambda: is_known(ctx.db, account, 300))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert (await known(ctx.db, account), await over(ctx.db, account)) == (300, False)

    async with at_work(ctx):
        await eventually(lambda: over(ctx.db, account))

    assert await known(ctx.db, account) == 0


async def is_known(db: Database, account: UUID, count: int) -> bool:
    return await known(db, account) == count
