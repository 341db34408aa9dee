"""What is dispatched is what can be done now; nothing is looked at again and again for nothing."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.malls import MallKind, PushOutcome
from domain.services import reflect_jobs
from domain.services.accounts import create_account
from domain.store import dispatch, leases, shops, sync
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import scratch
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import a_shop, an_order, in_stock, take
from tests.domain.services.turns import answers, sent
from tests.factories import a_row

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=2)


async def due(db: Database, account: UUID, at: datetime = NOW) -> list[str]:
    found = await dispatch.due(db, at=at, at_most=100_000)
    return sorted(each.work for each in found if each.account_id == account)


async def overdue(db: Database, account: UUID, at: datetime) -> int:
    found = await dispatch.overdue(db, at=at, at_most=100_000)
    return sum(whose == account for whose, _ in found)


async def tea_at(tx: Tx, mall: MallKind = MallKind.RAKUTEN, **values: Any) -> Shop:
    shop = await a_shop(tx, mall=mall, next_order_poll_at=NOW + timedelta(days=1), **values)
    await in_stock(tx, shop, TEA=5)
    return shop


async def asked(tx: Tx, shop: Shop) -> None:
    ids = await sync.listings_of_shops(tx, [shop.id])
    await reflect_jobs.ask(tx, OWNER, ids, now=NOW)


@pytest.mark.parametrize(
    ("seen", "asked_to_send", "is_due"),
    [
        (NOW - 50 * SECOND, True, True),
        (NOW - timedelta(hours=1), True, False),
        (None, True, False),
        (NOW, False, False),
    ],
)
async def test_other_numbers_than_zero_are_due_while_orders_are_fresh(
    db: Database,
    account: UUID,
    seen: datetime | None,
    asked_to_send: bool,
    is_due: bool,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, orders_running=True, orders_seen_at=seen, watermark=NOW)
        if asked_to_send:
            await asked(tx, shop)

    assert await due(db, account) == ["REFLECT"] * is_due


async def test_a_zero_is_due_however_old_the_orders_are(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await tea_at(tx, orders_running=True, orders_seen_at=LONG_AGO, watermark=NOW)
        other = await a_shop(tx, "Second", orders_running=False)
        await in_stock(tx, other, TEA=5)
        await take(tx, other, an_order("1", ("tea", 5)))
        await shops.change(tx, other.id, paused_until=NOW + MINUTE)

    assert await due(db, account) == ["REFLECT"]


async def test_what_another_worker_is_at_is_not_due(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, orders_running=True, orders_seen_at=NOW, watermark=NOW)
        await asked(tx, shop)
        await shops.change(tx, shop.id, next_order_poll_at=NOW)
    assert await due(db, account) == ["ORDERS", "REFLECT"]

    async with db.transaction(account) as tx:
        for kind in LeaseKind:
            await leases.take(tx, shop.id, kind, "another", MINUTE)

    assert await due(db, account) == []


@pytest.mark.parametrize("state", ["HALTED", "PROBING"])
async def test_a_shop_that_is_halted_has_nothing_to_do(db: Database, account: UUID, state: str):
    """But for what a dead worker had sent: nobody knows what became of it."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.AMAZON)
        await asked(tx, shop)
        await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)
        await asked(tx, shop)
        await shops.change(tx, shop.id, state=state)
        await _lapsed(tx)
    assert await due(db, account, NOW + timedelta(days=1)) == []

    async with db.transaction(account) as tx:
        await shops.change(tx, shop.id, state="RUNNING")
        await sent(tx, shop, at=NOW + timedelta(hours=1))
        await shops.change(tx, shop.id, state=state)
        await _lapsed(tx)

    assert await due(db, account, NOW + timedelta(days=1)) == ["REFLECT"]


async def _lapsed(tx: Tx) -> None:
    await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")


async def test_an_accepted_number_is_looked_at_when_its_time_has_come(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.AMAZON)
        await asked(tx, shop)
        await answers(tx, await sent(tx, shop, at=NOW), PushOutcome.ACCEPTED, at=NOW)
        await _lapsed(tx)

    assert await due(db, account, NOW + MINUTE) == []
    assert await due(db, account, NOW + 10 * MINUTE) == ["READ_BACK"]


async def test_an_accepted_number_is_looked_at_no_more_as_long_as_its_shop_is_not_in_use(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.AMAZON)
        await asked(tx, shop)
        await answers(tx, await sent(tx, shop, at=NOW), PushOutcome.ACCEPTED, at=NOW)
        await _lapsed(tx)
        await shops.change(tx, shop.id, in_use=False)
    assert await due(db, account, NOW + 10 * MINUTE) == []

    async with db.transaction(account) as tx:
        await shops.change(tx, shop.id, in_use=True)

    assert await due(db, account, NOW + 10 * MINUTE) == ["READ_BACK"]


async def _waits_at_a_slow_shop(tx: Tx) -> None:
    shop = await tea_at(tx, reflect_interval_seconds=1200)
    other = await a_shop(tx, "Second")
    await in_stock(tx, other, TEA=5)
    await take(tx, other, an_order("1", ("tea", 1)))
    await shops.change(tx, shop.id, orders_running=False)


async def _was_asked_for(tx: Tx) -> None:
    """Nothing differs: however late it is, it is no difference."""
    await asked(tx, await tea_at(tx))


@pytest.mark.parametrize(
    ("story", "early", "late"),
    [(_waits_at_a_slow_shop, 0, 1), (_was_asked_for, 0, 0)],
)
async def test_only_what_has_become_a_difference_by_the_time_alone_is_looked_at(
    db: Database, account: UUID, story: Callable[[Tx], Awaitable[None]], early: int, late: int
):
    await db.run(account, story)

    assert await overdue(db, account, NOW + 30 * SECOND) == early
    assert await overdue(db, account, NOW + timedelta(minutes=22)) == late


async def test_old_attempts_are_forgotten_but_for_the_open_and_the_newest(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.AMAZON)
        for minute, outcome in enumerate([PushOutcome.APPLIED] * 3 + [PushOutcome.ACCEPTED]):
            await asked(tx, shop)
            at = NOW + minute * MINUTE
            await answers(tx, await sent(tx, shop, at=at), outcome, at=at)
        await asked(tx, shop)
        await sent(tx, shop, at=NOW + 10 * MINUTE)

    await dispatch.forget_pushes(db, before=NOW + timedelta(days=1), at_most=100_000)

    async with db.transaction(account) as tx:
        left = await rows(tx, "SELECT state FROM pushes ORDER BY id")
    assert [each["state"] for each in left] == ["ACCEPTED", "SENT"]


async def test_jobs_that_are_long_over_are_forgotten_but_for_a_shops_newest_test(
    db: Database, account: UUID
):
    old, new = NOW - timedelta(days=31), NOW - timedelta(days=29)
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await asked(tx, shop)
        await rows(tx, "DELETE FROM jobs WHERE kind = 'SHOP_CHECK' RETURNING id")
        for kind, finished in (
            ("REFLECT", old),
            ("REFLECT", new),
            ("SHOP_CHECK", old),
            ("SHOP_CHECK", old),
        ):
            await a_row(tx, "jobs", kind=kind, shop_id=shop.id, state="DONE", finished_at=finished)

    await dispatch.forget_jobs(db, before=NOW - timedelta(days=30), at_most=100_000)

    async with db.transaction(account) as tx:
        left = await rows(tx, "SELECT kind, finished_at FROM jobs ORDER BY id")
    assert [tuple(each.values()) for each in left] == [
        ("REFLECT", None),
        ("REFLECT", new),
        ("SHOP_CHECK", old),
    ]


async def test_errors_are_forgotten_long_after_their_cause_is_gone(db: Database, account: UUID):
    told = {"level": 8, "kind": "UNREACHABLE"}
    async with db.transaction(account) as tx:
        for key, resolved in (("open", None), ("new", NOW), ("old", NOW - timedelta(days=91))):
            error = await a_row(tx, "sync_errors", group_key=key, resolved_at=resolved, **told)
        shop = await tea_at(tx)
        [listing] = await sync.listings_of_shops(tx, [shop.id])
        await a_row(tx, "sync_error_listings", error_id=error, listing_id=listing)

    await dispatch.forget_errors(db, before=NOW - timedelta(days=90), at_most=100_000)

    async with db.transaction(account) as tx:
        left = await rows(tx, "SELECT group_key FROM sync_errors ORDER BY id")
        hit = await rows(tx, "SELECT error_id FROM sync_error_listings")
    assert ([each["group_key"] for each in left], hit) == (["open", "new"], [])


async def test_oversells_are_forgotten_two_years_after_they_were_over(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await take(tx, shop, an_order("1", ("tea", 1)))
        [order] = await rows(tx, "SELECT id FROM orders")
        [product] = await rows(tx, "SELECT id FROM products")
        of = {"order_id": order["id"], "product_id": product["id"], "opened_at": NOW}
        for units, closed in ((1, None), (2, NOW), (3, NOW - timedelta(days=732))):
            await a_row(tx, "oversell_incidents", units=units, closed_at=closed, **of)

    await dispatch.forget_oversells(db, before=NOW - timedelta(days=731), at_most=100_000)

    async with db.transaction(account) as tx:
        left = await rows(tx, "SELECT units FROM oversell_incidents ORDER BY units")
    assert left == [{"units": 1}, {"units": 2}]


@pytest.mark.parametrize(
    ("case", "shop", "job", "of_shop", "is_due"),
    [
        ("it waits", {}, {}, {}, True),
        ("it is under way", {}, {"state": "RUNNING"}, {}, True),
        ("it was called off", {}, {"state": "CANCELLED"}, {}, False),
        ("it is over there", {}, {}, {"outcome": "DONE"}, False),
        ("it is not its time", {}, {}, {"next_try_at": NOW + SECOND}, False),
        ("the shop is halted", {"state": "HALTED"}, {}, {}, False),
        ("the shop catches up", {"state": "CATCHING_UP"}, {}, {}, True),
        ("the shop is given up: it is told so", {"state": "HALTED", "in_use": False}, {}, {}, True),
    ],
)
@pytest.mark.parametrize("work", ["INITIAL_ORDERS", "READ_STOCK"])
async def test_a_job_over_shops_is_due_where_it_may_go_on(
    db: Database,
    account: UUID,
    work: str,
    case: str,
    shop: dict[str, Any],
    job: dict[str, Any],
    of_shop: dict[str, Any],
    is_due: bool,
):
    async with db.transaction(account) as tx:
        tea = await tea_at(tx)
        await shops.change(tx, tea.id, **{"in_use": True, **shop})
        job_id = await a_row(tx, "jobs", kind="READ_MALL_STOCK", **job)
        values = {"work": work, "next_try_at": NOW, **of_shop}
        await a_row(tx, "job_shops", job_id=job_id, shop_id=tea.id, **values)

    found = [each for each in await due(db, account) if each == work]
    assert found == ([work] if is_due else []), case


@pytest.mark.parametrize(
    ("case", "state", "started_at"),
    [
        ("a test that waits", "WAITING", None),
        ("one whose tester died, or that was put back", "RUNNING", NOW - 30 * SECOND),
    ],
)
async def test_a_test_is_due_unless_somebody_holds_its_shop(
    db: Database, account: UUID, case: str, state: str, started_at: datetime | None
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        asked = {"kind": "SHOP_CHECK", "shop_id": shop.id, "started_at": started_at}
        await a_row(tx, "jobs", state=state, **asked)
        epoch = await leases.take(tx, shop.id, LeaseKind.CHECK, "test", MINUTE)
        assert epoch is not None
    assert await due(db, account) == [], case

    async with db.transaction(account) as tx:
        await leases.give_back(tx, shop.id, LeaseKind.CHECK, "test", epoch)
    assert await due(db, account) == ["CHECK"], case


async def test_initial_orders_wait_for_the_shops_importer(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        tea = await tea_at(tx)
        job_id = await a_row(tx, "jobs", kind="ORDER_FETCH")
        values = {"work": "INITIAL_ORDERS", "next_try_at": NOW}
        await a_row(tx, "job_shops", job_id=job_id, shop_id=tea.id, **values)
        epoch = await leases.take(tx, tea.id, LeaseKind.ORDERS, "test", MINUTE)
        assert epoch is not None
    assert await due(db, account) == []

    async with db.transaction(account) as tx:
        await leases.give_back(tx, tea.id, LeaseKind.ORDERS, "test", epoch)
    assert await due(db, account) == ["INITIAL_ORDERS"]


async def test_an_account_with_many_shops_does_not_fill_what_is_looked_at(
    database: Postgres,
) -> None:
    """Each account's first before anybody's second."""
    async with scratch(database) as own:
        db = Database.at(own.url(user=APP))
        many, few = [await create_account(db, name, name) for name in ("many", "few")]
        for whose, how_many in ((many, 40), (few, 2)):
            async with db.transaction(whose) as tx:
                for nth in range(how_many):
                    await a_shop(tx, f"Shop {nth}", orders_running=True, next_order_poll_at=NOW)

        found = [await dispatch.due(db, at=NOW, at_most=4) for _ in range(5)]
        await db.close()

    assert [sum(each.account_id == few for each in looked) for looked in found] == [2] * 5
