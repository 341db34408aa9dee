"""Rows are locked in one order, whoever writes: nobody waits for somebody who waits for them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.model.errors import MallRefused, MallUnavailable
from domain.model.malls import MallKind, OrderPage
from domain.services import links, polling, settling, sync_errors
from domain.store import listing_fields, listings, readings, shops, sync, unknown_codes
from domain.store.database import Database, Tx
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import a_shop, an_order, counted, in_stock, someone_waits
from tests.domain.services.turns import SOON, fails, sent

Writes = Callable[[Tx, Sequence[UUID]], Awaitable[object]]
LOCK = "SELECT FROM listings WHERE id = :id FOR UPDATE"
ROW = "SELECT FROM listing_sync WHERE listing_id = :id FOR UPDATE"


@pytest.mark.parametrize(
    "writes",
    [
        lambda tx, ids: readings.not_ours(tx, [(id, True, False) for id in ids]),
        lambda tx, ids: unknown_codes.note(tx, dict.fromkeys(ids, True)),
        lambda tx, ids: listing_fields.note_written(tx, {id: {"x": "1"} for id in ids}),
        lambda tx, ids: listing_fields.note_read(tx, {id: {"x": "1"} for id in ids}, at=SOON),
        lambda tx, ids: listings.delete(tx, ids, at=NOW),
    ],
    ids=["not ours", "unknown codes", "written fields", "read fields", "deleted"],
)
async def test_listings_are_written_in_the_order_of_their_ids(
    db: Database, account: UUID, writes: Writes
):
    """Whoever waits for the first holds none of the others."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **{f"TEA{nth}": 5 for nth in range(20)})
        ids = sorted(await sync.listings_of_shops(tx, [shop.id]))

    async with asyncio.TaskGroup() as tasks, db.transaction(account) as held:
        await held.execute(text(LOCK), {"id": ids[0]})
        tasks.create_task(db.run(account, lambda tx: writes(tx, ids[::-1])))
        await someone_waits(db)
        async with db.transaction(account) as other:
            for id in ids[1:]:
                await other.execute(text(f"{LOCK} NOWAIT"), {"id": id})


async def test_a_listing_is_unlinked_while_its_push_settles(db: Database, account: UUID):
    """Its row first, then what is wrong with it: else each would wait for what the other holds."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await counted(tx, NOW, TEA=3)
        await fails(tx, await sent(tx, shop), MallRefused("?"))
        ids = await sync.listings_of_shops(tx, [shop.id])

    async with asyncio.TaskGroup() as tasks, db.transaction(account) as settling:
        await sync.lock(settling, ids)
        tasks.create_task(db.run(account, lambda tx: links.unlink(tx, OWNER, ids, now=NOW)))
        await someone_waits(db)
        await sync_errors.mended(settling, shop.id, ids, now=SOON + timedelta(hours=1))


async def test_calls_that_went_out_together_settle_in_the_order_of_their_listings(
    db: Database, account: UUID
):
    """Whatever came of each: whoever waits for the first row holds none of the others."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, mall=MallKind.AMAZON)
        await in_stock(tx, shop, TEA=5, MUG=5)
        await counted(tx, NOW, TEA=3, MUG=3)
        batch = await sent(tx, shop)
    first, second = sorted(batch.attempts, key=lambda each: each.listing_id)
    calls = [replace(batch, attempts=(each,)) for each in (second, first)]

    async def settles(tx: Tx) -> None:
        await settling.hold(tx, calls)
        for call in calls:
            await fails(tx, call, MallUnavailable("?"))

    async with asyncio.TaskGroup() as tasks, db.transaction(account) as held:
        await held.execute(text(ROW), {"id": first.listing_id})
        tasks.create_task(db.run(account, settles))
        await someone_waits(db)
        async with db.transaction(account) as other:
            await other.execute(text(f"{ROW} NOWAIT"), {"id": second.listing_id})


async def test_orders_are_read_again_while_the_shop_is_held(db: Database, account: UUID):
    """Whoever settles a push holds the shop, and waits for listings: who waits for the shop holds none of them."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, orders_running=True, watermark=NOW, effective_from=NOW)
        await in_stock(tx, shop, TEA=5)
        poll = await polling.begin(tx, shop.id, "test", now=NOW)
        ids = await sync.listings_of_shops(tx, [shop.id])
    assert poll is not None
    told = OrderPage((an_order("1", ("tea", 1)),), SOON, 1, True)

    async with asyncio.TaskGroup() as tasks, db.transaction(account) as settling:
        await shops.lock(settling, shop.id)
        tasks.create_task(
            db.run(account, lambda tx: polling.reread(tx, poll, told, asked=["1"], now=SOON))
        )
        await someone_waits(db)
        async with db.transaction(account) as other:
            await other.execute(text(f"{ROW} NOWAIT"), {"id": ids[0]})
