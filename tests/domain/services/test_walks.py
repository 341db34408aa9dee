"""A shop of many listings is looked at part by part: none is left out, whoever dies on the way and whatever comes between."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import MallLockedOut
from domain.model.events import EventKind
from domain.model.shops import SyncPart
from domain.services import (
    account_settings,
    bulk,
    disconnecting,
    shops,
    shops_in_use,
    switches,
    walks,
)
from domain.store import dispatch
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.crowds import MANY, a_large_shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    counted,
    in_stock,
    meanwhile,
    shop_of,
    take,
    totals,
)
from tests.domain.services.turns import claimed, fails, lease_of, sent

Leaves = Callable[..., Awaitable[None]]
DEAD = MallLockedOut("The key is dead.", mall_message="AuthError")
FIVE = {f"T{nth}": 9 for nth in range(5)}
SOON = NOW + timedelta(seconds=1)
LATER = NOW + walks.LENGTH
REFLECT = [SyncPart.REFLECT]


async def five(tx: Tx, **values: Any) -> Shop:
    shop = await a_shop(tx, **values)
    await in_stock(tx, shop, **FIVE)
    return shop


async def part(tx: Tx, shop: Shop, *, now: datetime = NOW) -> bool:
    """Two listings of a shop that is walked through, if nobody is at it; is there more?"""
    walk = await walks.take_up(tx, shop.id, now=now)
    if walk is None:
        return False
    more = await walks.do_part(tx, walk, at_most=2, now=now)
    await walks.put_down(tx, walk, now=now)
    return more


async def walked(tx: Tx, shop: Shop) -> None:
    walk = await walks.take_up(tx, shop.id, now=NOW)
    assert walk is not None
    while await walks.do_part(tx, walk, now=NOW):
        pass


async def under_way(tx: Tx) -> list[tuple[bool, bool]]:
    """Of each walk, whether it forgets, and whether it has begun."""
    found = await rows(tx, "SELECT forget, after IS NOT NULL AS began FROM shop_walks")
    return [(each["forget"], each["began"]) for each in found]


async def reasons(tx: Tx) -> dict[str, int]:
    """Why listings are not pushed: how many."""
    found = await rows(
        tx,
        "SELECT array_to_string(not_pushed, ' ') AS why, count(*) FROM listing_sync GROUP BY 1",
    )
    return {each["why"]: each["count"] for each in found}


async def known(tx: Tx) -> int:
    """Of how many listings we believe to know what the mall shows."""
    found = await row(tx, "SELECT count(*) FROM listing_sync WHERE base IS NOT NULL")
    return int(found["count"])


def told(tx: Tx) -> list[EventKind]:
    return [event.kind for event in tx.events]


async def test_a_large_shop_is_halted_at_once_and_its_listings_one_part_after_the_other(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_large_shop(tx)

    async with db.transaction(account) as tx:
        await shops.halt(tx, shop, DEAD, now=NOW)
        assert await reasons(tx) == {"": MANY}
        assert await claimed(tx, shop, await lease_of(tx, shop)) is None

    parts = 0
    async with db.transaction(account) as tx:
        walk = await walks.take_up(tx, shop.id, now=NOW)
        assert walk is not None
        while await walks.do_part(tx, walk, now=NOW):
            parts += 1
            assert await reasons(tx) == {
                "": MANY - parts * walks.PART,
                "SHOP_HALTED": parts * walks.PART,
            }

    async with db.transaction(account) as tx:
        assert (parts, await reasons(tx), await known(tx)) == (2, {"SHOP_HALTED": MANY}, 0)
        assert await under_way(tx) == []
        assert await walks.take_up(tx, shop.id, now=LATER) is None


async def test_what_changed_is_told_once_at_the_end(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=True, now=NOW)
        assert told(tx)[-1:] == [EventKind.SHOP]

    for expected in ([], [], [EventKind.SHOP, EventKind.RELOAD]):
        async with db.transaction(account) as tx:
            await part(tx, shop)
            assert told(tx) == expected


async def test_few_listings_are_looked_at_in_the_transaction_itself(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx)

        await shops.halt(tx, shop, DEAD, now=NOW)

        assert (await reasons(tx), await known(tx), await under_way(tx)) == (
            {"SHOP_HALTED": 5},
            0,
            [],
        )


async def test_a_part_reads_the_shop_as_it_is_by_then(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)
        assert await part(tx, shop)
        await shop_rows.change(tx, shop.id, reflect_running=False)

        await part(tx, shop)

        assert await reasons(tx) == {"": 3, "SHOP_REFLECT_STOPPED": 2}


@pytest.mark.parametrize(
    ("case", "first", "second"), [("older", True, False), ("newer", False, True)]
)
async def test_a_second_walk_begins_anew_and_forgets_what_either_was_to_forget(
    db: Database, account: UUID, case: str, first: bool, second: bool
):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=first, now=NOW)
        assert await part(tx, shop)
        assert await under_way(tx) == [(first, True)]

        await walks.begin(tx, [shop.id], forget=second, now=NOW)

        assert await under_way(tx) == [(True, False)]
        await walked(tx, shop)
        assert await known(tx) == 0, case


async def test_a_halt_melts_with_the_walk_of_a_switch(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_large_shop(tx)
        await switches.stop_sync(tx, OWNER, [shop.id], REFLECT, now=NOW)
        first = await walks.take_up(tx, shop.id, now=NOW)
        assert first is not None
        assert await walks.do_part(tx, first, now=NOW)

        await shops.halt(tx, await shop_of(tx, shop.id), DEAD, now=NOW)

        assert await under_way(tx) == [(True, False)]
        await walked(tx, shop)
        assert await reasons(tx) == {"SHOP_REFLECT_STOPPED SHOP_HALTED": MANY}
        assert await known(tx) == 0


async def test_a_walk_is_one_workers_until_it_dies(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=True, now=NOW)
        first = await walks.take_up(tx, shop.id, now=NOW)
        assert first is not None
        assert await walks.do_part(tx, first, at_most=2, now=NOW)

        assert await part(tx, shop, now=SOON) is False
        assert await known(tx) == 3
        assert await part(tx, shop, now=LATER)
        assert await known(tx) == 1
        assert await walks.do_part(tx, first, at_most=2, now=LATER) is False
        assert await part(tx, shop, now=LATER) is False
        assert (await known(tx), await under_way(tx)) == (0, [])


@pytest.mark.parametrize("leaves", [walks.stumbled, walks.put_down])
async def test_who_lost_a_walk_neither_puts_it_off_nor_down(
    db: Database, account: UUID, leaves: Leaves
):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=True, now=NOW)
        first = await walks.take_up(tx, shop.id, now=NOW)
        second = await walks.take_up(tx, shop.id, now=LATER)
        assert first is not None
        assert second is not None

        await leaves(tx, first, now=LATER)

        kept = {"next_try_at": LATER + walks.LENGTH, "failures": 0}
        assert await row(tx, "SELECT next_try_at, failures FROM shop_walks") == kept
        assert await walks.do_part(tx, second, at_most=2, now=LATER)


async def test_the_clock_finds_a_walk_that_nobody_is_at(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx, next_order_poll_at=LATER)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)
        assert [bell.work for bell in tx.bells].count("WALK") == 1

    async def due(at: Any) -> list[str]:
        found = await dispatch.due(db, at=at, at_most=100_000)
        return [each.work for each in found if each.account_id == account]

    assert await due(NOW) == ["WALK"]
    async with db.transaction(account) as tx:
        await walks.take_up(tx, shop.id, now=NOW)
    assert (await due(SOON), await due(LATER)) == ([], ["WALK"])


async def test_a_part_that_fails_is_tried_again_ever_more_rarely(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)
        at, waits = NOW, []
        for _ in range(3):
            walk = await walks.take_up(tx, shop.id, now=at)
            assert walk is not None
            await walks.stumbled(tx, walk, now=at)
            await walks.put_down(tx, walk, now=at)
            before, at = at, (await row(tx, "SELECT next_try_at FROM shop_walks"))["next_try_at"]
            waits.append((at - before).total_seconds())

        assert waits == [15, 30, 60]
        assert await part(tx, shop, now=at)
        assert (await row(tx, "SELECT failures FROM shop_walks")) == {"failures": 0}


async def test_a_shop_does_not_run_before_all_of_its_listings_were_looked_at(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await five(tx, state="CATCHING_UP", orders_running=True, orders_seen_at=NOW)
        await walks.begin(tx, [shop.id], forget=True, now=NOW)
        assert not await shops.may_run(tx, shop, now=NOW)
        await part(tx, shop)
        assert not await shops.may_run(tx, shop, now=NOW)

    async with db.transaction(account) as tx:
        await walked(tx, shop)
        assert await shops.may_run(tx, shop, now=NOW)
        assert "CHECK" in {bell.work for bell in tx.bells}


async def test_an_order_meets_a_walk(db: Database, account: UUID):
    """Whoever comes second waits, and neither loses what the other did."""

    async def begin(tx: Tx) -> Shop:
        shop = await five(tx)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)
        return shop

    shop = await db.run(account, begin)

    async def orders_first(tx: Tx) -> None:
        await take(tx, shop, an_order("1", ("t4", 2), ("t0", 2)))

    async def orders_second(tx: Tx) -> None:
        await take(tx, shop, an_order("2", ("t3", 1), ("t1", 1)))

    async def walks_on(tx: Tx) -> None:
        await walked(tx, shop)

    async def begins_anew(tx: Tx) -> None:
        await walks.begin(tx, [shop.id], forget=False, now=NOW)

    await meanwhile(db, account, orders_first, walks_on)
    await db.run(account, begins_anew)
    await meanwhile(db, account, walks_on, orders_second)

    async with db.transaction(account) as tx:
        assert await totals(tx) == {"T0": 7, "T1": 8, "T2": 9, "T3": 8, "T4": 7}
        found = await rows(tx, "SELECT expected FROM listing_sync ORDER BY listing_id")
        assert [each["expected"] for each in found] == [7, 8, 9, 8, 7]
        assert await under_way(tx) == []


async def test_a_call_that_halts_its_shop_meets_a_walk(db: Database, account: UUID):
    """Both hold the shop's row first, so neither waits for what the other holds."""

    async def send(tx: Tx) -> Any:
        shop = await five(tx)
        await counted(tx, T0=0, T4=0)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)
        return shop, await sent(tx, shop)

    shop, batch = await db.run(account, send)

    async def refused(tx: Tx) -> None:
        await fails(tx, batch, DEAD)

    async def walks_on(tx: Tx) -> None:
        await part(tx, shop)

    await meanwhile(db, account, walks_on, refused)

    async with db.transaction(account) as tx:
        assert (await shop_of(tx, shop.id)).state == "HALTED"
        assert await reasons(tx) == {"SHOP_HALTED": 5}


async def test_the_master_switch_walks_where_its_shops_are_many_listings_together(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        large, small = await a_large_shop(tx), await a_shop(tx, "Small")
        await in_stock(tx, small, MUG=9)

        await switches.stop_sync(tx, OWNER, None, now=NOW)

        assert await under_way(tx) == [(False, False)] * 2
        await walked(tx, large)
        await walked(tx, small)
        assert await reasons(tx) == {"MASTER_STOPPED": MANY + 1}


async def test_a_large_shop_leaves_and_comes_back_by_walks(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_large_shop(tx)

        await shops_in_use.set_shops_in_use(tx, OWNER, [], now=NOW)
        await walked(tx, shop)

        assert await reasons(tx) == {"SHOP_NOT_IN_USE SHOP_REFLECT_STOPPED": MANY}
        await shops_in_use.set_shops_in_use(tx, OWNER, [shop.id], now=NOW)
        await walked(tx, shop)
        assert await reasons(tx) == {"SHOP_REFLECT_STOPPED": MANY}


@pytest.mark.parametrize("delete", [True, False])
async def test_a_large_shop_that_is_given_up_lets_its_listings_go_by_a_walk(
    db: Database, account: UUID, delete: bool
):
    async with db.transaction(account) as tx:
        shop = await a_large_shop(tx)
        await shops.halt(tx, shop, DEAD, now=NOW)

        await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=delete, now=NOW)
        await walked(tx, shop)

        linked = "SELECT count(*) FROM links WHERE product_id IS NOT NULL"
        by = "SELECT DISTINCT actor ->> 'name' AS name, state FROM links"
        gone = "SELECT count(*) FROM listings WHERE deleted_at IS NOT NULL"
        assert (await row(tx, linked))["count"] == 0
        assert await rows(tx, by) == [{"name": OWNER.name, "state": "UNLINKED"}]
        assert (await row(tx, gone))["count"] == (MANY if delete else 0)
        assert await under_way(tx) == []


async def test_a_new_base_shop_names_many_products_in_a_job(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_large_shop(tx)
        await rows(tx, "UPDATE products SET name = 'old' RETURNING id")

        await account_settings.update_account(tx, OWNER, base_shop_id=shop.id, now=NOW)

        job = (await row(tx, "SELECT id FROM jobs"))["id"]
        assert await rows(tx, "SELECT DISTINCT name FROM products") == [{"name": "old"}]
        while await bulk.do_part(tx, job, now=NOW):
            pass
        found = await row(tx, "SELECT count(*) FROM products WHERE name = code || ' of the mall'")
        assert found["count"] == MANY
        state = await row(tx, "SELECT state, done, failed FROM jobs")
        assert state == {"state": "DONE", "done": MANY, "failed": 0}
