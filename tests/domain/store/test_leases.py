"""Whose turn it is: one holder a shop and kind, an epoch that rises, a lease that outlives no crash."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.store import leased_shops, leases, shops
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind

LONG, OVER = timedelta(minutes=1), timedelta(seconds=-1)
REFLECT, ORDERS = LeaseKind.REFLECT, LeaseKind.ORDERS


@pytest.fixture
async def shop(db: Database, account: UUID) -> UUID:
    async def work(tx: Tx) -> UUID:
        return await shops.insert(tx, MallKind.RAKUTEN, "Tea", {}, (), sandbox=True)

    return await db.run(account, work)


async def test_one_holder_at_a_time_and_an_epoch_that_rises(
    db: Database, account: UUID, shop: UUID
) -> None:
    async with db.transaction(account) as tx:
        assert await leases.take(tx, shop, REFLECT, "one", LONG) == 1
        assert await leases.take(tx, shop, REFLECT, "two", LONG) is None
        assert await leases.take(tx, shop, ORDERS, "two", LONG) == 1
        await leases.give_back(tx, shop, REFLECT, "one", 1)
        assert await leases.take(tx, shop, REFLECT, "two", LONG) == 2


async def test_a_lapsed_lease_is_anybodys_and_its_old_holder_finds_out(
    db: Database, account: UUID, shop: UUID
) -> None:
    async with db.transaction(account) as tx:
        await leases.take(tx, shop, REFLECT, "one", OVER)
        assert await leases.take(tx, shop, REFLECT, "two", LONG) == 2

        assert await leased_shops.lock(tx, shop, REFLECT, 1) is None
        assert await leased_shops.lock(tx, shop, REFLECT, 2) is not None
        assert not await leases.renew(tx, shop, REFLECT, "one", 1, LONG)
        assert await leases.renew(tx, shop, REFLECT, "two", 2, LONG)


async def test_a_late_give_back_takes_nothing_from_the_next_holder(
    db: Database, account: UUID, shop: UUID
) -> None:
    async with db.transaction(account) as tx:
        await leases.take(tx, shop, REFLECT, "one", OVER)
        await leases.take(tx, shop, REFLECT, "two", LONG)

        await leases.give_back(tx, shop, REFLECT, "one", 1)

        assert await leases.take(tx, shop, REFLECT, "three", LONG) is None


async def test_a_holder_takes_up_again_what_it_lost_track_of(
    db: Database, account: UUID, shop: UUID
) -> None:
    async with db.transaction(account) as tx:
        assert await leases.take(tx, shop, REFLECT, "one", LONG) == 1
        assert await leases.take(tx, shop, REFLECT, "one", LONG) == 2


@pytest.mark.parametrize(
    ("case", "clean"),
    [("given back", False), ("given back clean", True), ("lapsed", False), ("raised", False)],
)
async def test_the_next_holder_is_told_whether_anything_was_left_open(
    db: Database, account: UUID, shop: UUID, case: str, clean: bool
) -> None:
    async with db.transaction(account) as tx:
        first = await leased_shops.take(tx, shop, REFLECT, "one", OVER)
        if case == "raised":
            await leases.raise_all(tx, [shop], by=1)
        elif case != "lapsed":
            await leases.give_back(tx, shop, REFLECT, "one", 1, clean=case == "given back clean")
        then = await leased_shops.take(tx, shop, REFLECT, "two", LONG)

    assert first is not None
    assert not first.clean
    assert then is not None
    assert then.clean is clean


async def test_a_turn_of_the_clock_is_one_processes(db: Database) -> None:
    name = f"turn of {SYSTEM.name}"
    assert await leases.turn(db, name, "one", LONG)
    assert not await leases.turn(db, name, "two", LONG)
    async with db.connection() as connection:
        await connection.exec_driver_sql(
            f"UPDATE clock_leases SET until = now() WHERE name = '{name}'"
        )
    assert await leases.turn(db, name, "two", LONG)
