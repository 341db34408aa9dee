"""Accepted is not applied, also where a mall says so: what was written is looked at, and what is not there goes out again."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.model.malls import MallKind, MallTime, PushOutcome, StockReading
from domain.services import reading_back, stock
from domain.services.stock import NewTotal
from domain.store import shops
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_shop,
    errors,
    in_stock,
    product_ids,
    shop_of,
    shown,
    someone_waits,
)
from tests.domain.services.turns import (
    SOON,
    answers,
    claimed,
    lease_of,
    looks,
    numbers,
    sent,
    unread,
)

MINUTE = timedelta(minutes=1)
LATER = SOON + 10 * MINUTE
DELAY = MINUTE
"""Rakuten's, from a write to the page that shows it."""


async def tea_at(tx: Tx, *, total: int = 5, mall: MallKind = MallKind.RAKUTEN, **more: int) -> Shop:
    shop = await a_shop(tx, mall=mall, sampled_at=NOW, settings={"read_back_one_in": "9999"})
    await in_stock(tx, shop, TEA=total, **more)
    return shop


async def writes(tx: Tx, shop: Shop, *, at: datetime = SOON, **totals: int) -> None:
    """Sets totals, sends them, and the mall says that they stand."""
    ids = await product_ids(tx)
    items = [NewTotal(ids[code], total) for code, total in totals.items()]
    await stock.set_totals(tx, OWNER, items, reflect=True, now=at)
    await answers(tx, await sent(tx, shop, at=at), PushOutcome.APPLIED, at=at)


async def states(tx: Tx) -> list[tuple[str, int]]:
    found = await rows(tx, "SELECT state, reads FROM pushes ORDER BY sent_at, id")
    return [(each["state"], each["reads"]) for each in found]


async def test_a_drop_to_zero_is_looked_at_after_the_malls_delay(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await writes(tx, shop, TEA=0)

        assert await unread(tx, shop, at=SOON + DELAY / 2) == []
        [asked] = await unread(tx, shop, at=SOON + DELAY)
        assert (asked.quantity, asked.before, asked.base, asked.accepted) == (0, 5, 0, False)


async def test_a_zero_that_is_there_is_looked_at_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await writes(tx, shop, TEA=0)

        await looks(tx, shop, await unread(tx, shop, at=LATER), 0, at=LATER)

        assert await unread(tx, shop, at=LATER) == []
        assert await states(tx) == [("APPLIED", 1)]
        assert (await shown(tx, shop, "tea")).base == 0
        assert await errors(tx) == []


async def test_a_zero_that_was_silently_not_applied_goes_out_again_at_once(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await writes(tx, shop, TEA=0)

        await looks(tx, shop, await unread(tx, shop, at=LATER), 5, at=LATER)

        assert await states(tx) == [("UNKNOWN", 0)]
        assert await errors(tx) == [("NOT_APPLIED", "OPEN", 1)]
        assert numbers(await sent(tx, shop, at=LATER)) == [0]


async def test_what_is_read_before_the_delay_is_over_is_looked_at_again(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await writes(tx, shop, TEA=0)

        await looks(tx, shop, await unread(tx, shop, at=LATER), 5, at=SOON + DELAY / 2)

        assert (await shown(tx, shop, "tea")).base == 0
        assert len(await unread(tx, shop, at=LATER)) == 1


async def test_of_a_number_that_was_written_over_nobody_asks_any_more(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await writes(tx, shop, TEA=0)
        await writes(tx, shop, at=SOON + MINUTE, TEA=7)

        assert await unread(tx, shop, at=LATER) == []
        assert await states(tx) == [("APPLIED", 0), ("APPLIED", 0)]


@pytest.mark.parametrize(
    ("case", "sampled", "looked"), [("within the hour", 0, 0), ("an hour later", 60, 1)]
)
async def test_a_shop_is_looked_at_once_an_hour(
    db: Database, account: UUID, case: str, sampled: int, looked: int
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MUG=4)
        at = NOW + sampled * MINUTE
        await writes(tx, shop, at=at, TEA=4, MUG=3)

        assert len(await unread(tx, shop, at=at + DELAY)) == looked, case
        expected = at if looked else NOW
        assert (await shop_of(tx, shop.id)).sampled_at == expected


@pytest.mark.parametrize(
    ("case", "reading", "known_up_to", "goes_out"),
    [
        ("a fall at the mall may be a sale: nothing rises before the orders are known", 3, NOW, []),
        ("known, it is put right", 3, LATER, [4]),
        ("a raise at the mall is put right at once", 9, NOW, [4]),
    ],
)
async def test_what_was_edited_at_the_mall_is_put_right(
    db: Database, account: UUID, case: str, reading: int, known_up_to: datetime, goes_out: list[int]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await rows(tx, "UPDATE shops SET sampled_at = NULL RETURNING id")
        await writes(tx, shop, TEA=4)
        fresh = {"orders_running": True, "watermark": known_up_to, "orders_seen_at": LATER}
        await looks(tx, shop, await unread(tx, shop, at=LATER), reading, at=LATER)
        await shops.change(tx, shop.id, **fresh)

        batch = await claimed(tx, shop, await lease_of(tx, shop), at=LATER)
        assert numbers(batch) == goes_out, case
        assert await errors(tx) == []


async def test_who_holds_what_is_read_waits_for_nothing_that_waits_for_it(
    db: Database, account: UUID
):
    """Listings come before their numbers: of one the mall knows nothing, of the other it shows no number of ours."""

    async def written(tx: Tx) -> Shop:
        shop = await tea_at(tx, MUG=5)
        await writes(tx, shop, TEA=0, MUG=0)
        return shop

    shop = await db.run(account, written)
    begun = 0

    async def is_read(tx: Tx) -> None:
        nonlocal begun
        begun += 1
        asked = await unread(tx, shop, at=LATER)
        at = MallTime(LATER, LATER)
        readings = [
            StockReading(each.ref, at, quantity=0, unlimited=True)
            if each.ref.item_code == "tea"
            else StockReading(each.ref, at, quantity=None, found=False)
            for each in asked
        ]
        await reading_back.read_back(tx, shop, asked, readings, now=LATER)

    async def holds_tea(tx: Tx) -> None:
        await rows(tx, "SELECT FROM listings WHERE item_code = 'tea' FOR NO KEY UPDATE")

    async with asyncio.TaskGroup() as tasks, db.transaction(account) as tx:
        await holds_tea(tx)
        tasks.create_task(db.run(account, is_read))
        await someone_waits(db)
        await rows(tx, "SELECT FROM listing_sync ORDER BY listing_id FOR UPDATE")

    assert begun == 1
    async with db.transaction(account) as tx:
        assert await errors(tx) == [("UNKNOWN_AT_MALL", "OPEN", 1)]
