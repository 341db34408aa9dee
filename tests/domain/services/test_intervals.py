"""反映間隔: changes are gathered for as long as the shop says; zeros never wait, and the newest number goes out once."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW
from tests.domain.services.story import a_shop, counted, everywhere_right, in_stock
from tests.domain.services.turns import answers, claimed, lease_of, numbers

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def stocked(tx: Tx, interval: timedelta, **totals: int) -> Shop:
    shop = await a_shop(tx, reflect_interval_seconds=int(interval.total_seconds()))
    await in_stock(tx, shop, **totals)
    await everywhere_right(tx)
    return shop


@pytest.mark.parametrize("minutes", [1, 5, 20])
async def test_a_change_waits_for_the_interval(db: Database, account: UUID, minutes: int):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, minutes * MINUTE, TEA=9)
        epoch = await lease_of(tx, shop)

        await counted(tx, NOW, TEA=5)
        early = await claimed(tx, shop, epoch, at=NOW + minutes * MINUTE - SECOND)
        due = await claimed(tx, shop, epoch, at=NOW + minutes * MINUTE)

        assert (early, numbers(due)) == (None, [5])


async def test_without_an_interval_it_goes_out_at_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, timedelta(), TEA=9)

        await counted(tx, NOW, TEA=5)

        assert numbers(await claimed(tx, shop, await lease_of(tx, shop), at=NOW)) == [5]


async def test_a_zero_never_waits(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, 20 * MINUTE, TEA=9, MUG=9)

        await counted(tx, NOW, TEA=0, MUG=5)

        epoch = await lease_of(tx, shop)
        assert numbers(await claimed(tx, shop, epoch, at=NOW)) == [0]


async def test_what_changes_on_the_way_neither_prolongs_the_wait_nor_is_sent_twice(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, 5 * MINUTE, TEA=9)
        epoch = await lease_of(tx, shop)
        for nth in range(5):
            await counted(tx, NOW + nth * MINUTE, TEA=8 - nth)

        batch = await claimed(tx, shop, epoch, at=NOW + 5 * MINUTE)
        assert batch is not None
        await answers(tx, batch, at=NOW + 5 * MINUTE)

        assert numbers(batch) == [4]
        assert await claimed(tx, shop, epoch, at=NOW + 60 * MINUTE) is None


async def test_what_turns_to_zero_while_it_waits_goes_out_at_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, 20 * MINUTE, TEA=9)
        await counted(tx, NOW, TEA=1)

        await counted(tx, NOW + SECOND, TEA=0)

        epoch = await lease_of(tx, shop)
        assert numbers(await claimed(tx, shop, epoch, at=NOW + SECOND)) == [0]
