"""Whoever is cut off, wherever that is, keeps nobody waiting: what was taken is given back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.model.actors import SYSTEM
from domain.model.initial_orders import InitialOrderMode
from domain.model.jobs import JobKind
from domain.model.malls import MallKind
from domain.services import initial_orders, readings, stock, walks
from domain.store import jobs
from domain.store.database import Database, Tx
from tests.workers.cutting import MOST_PAUSES, is_cut_off
from tests.workers.town import Town, now, product_ids, town
from workers.check_shop import check_shop
from workers.import_orders import fetch_orders
from workers.initial_orders import fetch_initial_orders
from workers.read_stock import read_stock
from workers.reflect import push_waiting
from workers.walk import walk_shop
from workers.works import Work

RAKUTEN = MallKind.RAKUTEN
LEAST_PAUSES = 10
"""Whoever waits so often has called the mall."""


async def is_asked_for_orders(here: Town, _: int) -> None:
    return


async def is_to_be_tested(here: Town, _: int) -> None:
    shop_id = here.stalls[RAKUTEN].id

    async def ask(tx: Tx) -> None:
        await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop_id, actor=SYSTEM)

    if not await here.scalar("SELECT count(*) FROM jobs WHERE finished_at IS NULL"):
        await here.db.run(here.account_id, ask)


async def has_a_number_to_send(here: Town, nth: int) -> None:
    async def count(tx: Tx) -> None:
        ids = await product_ids(tx, ["MUG"])
        items = [stock.NewTotal(ids["MUG"], nth)]
        await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

    await here.query("UPDATE shops SET orders_seen_at = clock_timestamp() RETURNING id")
    await here.db.run(here.account_id, count)


async def is_asked_for_old_orders(here: Town, _: int) -> None:
    shop_id, since = here.stalls[RAKUTEN].id, now() - timedelta(hours=2)

    async def ask(tx: Tx) -> None:
        mode = InitialOrderMode.BASELINE
        await initial_orders.ask(tx, SYSTEM, [shop_id], since=since, mode=mode, now=now())

    later = now() + timedelta(hours=1)
    await here.query("UPDATE shops SET next_order_poll_at = :at RETURNING id", at=later)
    await unless_asked(here, ask)


async def is_to_be_read(here: Town, _: int) -> None:
    listing_id = await here.scalar("SELECT id FROM listings")

    async def ask(tx: Tx) -> None:
        await readings.ask(tx, SYSTEM, [listing_id], now=now())

    await unless_asked(here, ask)


async def is_to_be_walked_through(here: Town, _: int) -> None:
    shop_id = here.stalls[RAKUTEN].id

    async def begin(tx: Tx) -> None:
        await walks.begin(tx, [shop_id], forget=False, now=now())

    await here.db.run(here.account_id, begin)


async def unless_asked(here: Town, ask: Callable[[Tx], Awaitable[None]]) -> None:
    """What was cut off goes on."""
    if not await here.scalar("SELECT count(*) FROM job_shops WHERE outcome IS NULL"):
        await here.db.run(here.account_id, ask)


WORKS = pytest.mark.parametrize(
    ("happens", "work"),
    [
        (is_asked_for_orders, fetch_orders),
        (is_to_be_tested, check_shop),
        (has_a_number_to_send, push_waiting),
        (is_asked_for_old_orders, fetch_initial_orders),
        (is_to_be_read, read_stock),
        (is_to_be_walked_through, walk_shop),
    ],
)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, RAKUTEN) as made:
        await made.has(MUG=10)
        await made.starts()
        yield made


@WORKS
@pytest.mark.parametrize("late", [False, True])
async def test_nothing_is_held_by_who_was_cut_off(
    here: Town, happens: Callable[[Town, int], Awaitable[None]], work: Work, late: bool
) -> None:
    shop_id = here.stalls[RAKUTEN].id
    for nth in range(1, MOST_PAUSES):
        await happens(here, nth)
        if not await is_cut_off(work(here.ctx, here.account_id, shop_id), nth, late):
            assert nth > LEAST_PAUSES
            return
        assert await held(here) == [], f"after the {nth}th pause"
    raise AssertionError("The work has no end.")


async def held(here: Town) -> list[Any]:
    """What a worker of another process could not take now."""
    return await here.query(
        "SELECT kind FROM shop_leases WHERE until > clock_timestamp()"
        " UNION ALL SELECT work FROM job_shops WHERE outcome IS NULL AND next_try_at > clock_timestamp()"
        " UNION ALL SELECT 'WALK' FROM shop_walks WHERE next_try_at > clock_timestamp()"
    )
