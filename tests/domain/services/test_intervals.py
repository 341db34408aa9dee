"""反映間隔: changes are gathered for as long as the shop says; zeros never wait, and the newest number goes out once."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.malls import PushOutcome
from domain.services import shops
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import a_shop, counted, everywhere_right, in_stock
from tests.domain.services.turns import answers, claimed, lease_of, numbers

VAULT = Vault(bytes(32))
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


@pytest.mark.parametrize("minutes", [0, 5])
async def test_a_shorter_interval_holds_for_what_waits_already(
    db: Database, account: UUID, minutes: int
):
    """TEA was refused, and waits for another reason."""
    async with db.transaction(account) as tx:
        shop = await stocked(tx, 20 * MINUTE, TEA=9, MUG=9)
        epoch = await lease_of(tx, shop)
        await counted(tx, NOW, TEA=4)
        batch = await claimed(tx, shop, epoch, at=NOW + 20 * MINUTE)
        assert batch is not None
        await answers(tx, batch, PushOutcome.REFUSED, at=NOW + 20 * MINUTE)
        start = NOW + 20 * MINUTE
        await counted(tx, start, MUG=5)

        change = ShopChange(reflect_interval_seconds=minutes * 60)
        await shops.update(tx, VAULT, OWNER, shop.id, change)

        due = start + minutes * MINUTE
        assert await claimed(tx, shop, epoch, at=due - SECOND) is None
        assert numbers(await claimed(tx, shop, epoch, at=due)) == [5]


async def test_orders_that_are_asked_for_more_often_are_asked_for_at_once(
    db: Database, account: UUID
):
    """By the new interval it is long time; one that becomes longer changes nothing for now."""
    asked_at = NOW
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, order_poll_seconds=3600, next_order_poll_at=asked_at + 60 * MINUTE)
        nexts = []
        for seconds in (600, 10, 900):
            change = ShopChange(order_poll_seconds=seconds)
            changed, _ = await shops.update(tx, VAULT, OWNER, shop.id, change)
            nexts.append(changed.next_order_poll_at)

    assert nexts == [asked_at + 10 * MINUTE, asked_at + 10 * SECOND, asked_at + 10 * SECOND]
