"""Failures of our own in a shop's job: counted, ever more rarely tried again, and given up. The worker lacks a key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.model.actors import SYSTEM
from domain.model.initial_orders import InitialOrderMode
from domain.model.malls import MallKind
from domain.services import initial_orders, readings
from domain.services.credentials import CannotOpen, Vault
from domain.store.database import Database, Tx
from tests.workers.town import Town, now, town
from workers.context import Context, Malls
from workers.initial_orders import fetch_initial_orders
from workers.read_stock import read_stock
from workers.works import Work

RAKUTEN = MallKind.RAKUTEN
ANOTHER_KEY = bytes(range(1, 33))
Ask = Callable[[Tx, UUID, UUID], Awaitable[UUID]]


async def ask_reading(tx: Tx, _: UUID, listing_id: UUID) -> UUID:
    return await readings.ask(tx, SYSTEM, [listing_id], now=now())


async def ask_orders(tx: Tx, shop_id: UUID, _: UUID) -> UUID:
    since, mode = now() - timedelta(hours=2), InitialOrderMode.BASELINE
    return await initial_orders.ask(tx, SYSTEM, [shop_id], since=since, mode=mode, now=now())


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, RAKUTEN) as made:
        await made.has(MUG=10)
        yield made


@pytest.fixture
async def keyless(db: Database) -> AsyncIterator[Context]:
    vault = Vault(ANOTHER_KEY)
    async with httpx.AsyncClient() as http:
        yield Context(db, Malls(db, vault, http), vault, "keyless")


async def asked(here: Town, ask: Ask) -> None:
    listing_id = await here.scalar("SELECT id FROM listings")
    await here.db.run(here.account_id, lambda tx: ask(tx, here.stalls[RAKUTEN].id, listing_id))


async def stumbles(here: Town, keyless: Context, work: Work) -> None:
    with pytest.raises(CannotOpen):
        await work(keyless, here.account_id, here.stalls[RAKUTEN].id)


async def told(here: Town) -> tuple[Any, ...]:
    """(the job's state, done, failed; the shop's outcome, failures in a row, seconds to wait)."""
    [row] = await here.query(
        "SELECT j.state, j.done, j.failed, w.outcome, w.failures, w.next_try_at FROM job_shops w"
        " JOIN jobs j ON j.id = w.job_id"
    )
    return (*row[:5], round((row.next_try_at - now()).total_seconds()))


async def due_now(here: Town, failures: int) -> None:
    await here.query(
        "UPDATE job_shops SET next_try_at = :at, failures = :failures RETURNING job_id",
        at=now(),
        failures=failures,
    )


WORKS = pytest.mark.parametrize(
    ("ask", "work"), [(ask_reading, read_stock), (ask_orders, fetch_initial_orders)]
)


@WORKS
@pytest.mark.parametrize(("before", "waits"), [(0, 15), (1, 30), (8, 3600)])
async def test_it_is_counted_and_tried_again_ever_more_rarely(
    here: Town, keyless: Context, ask: Ask, work: Work, before: int, waits: int
) -> None:
    await asked(here, ask)
    await due_now(here, before)

    await stumbles(here, keyless, work)
    await work(keyless, here.account_id, here.stalls[RAKUTEN].id)

    state, *counted, seconds = await told(here)
    assert state in ("WAITING", "RUNNING")
    assert counted == [0, 0, None, before + 1]
    assert waits - 5 <= seconds <= waits


@WORKS
async def test_what_heals_is_done_as_if_nothing_had_been(
    here: Town, keyless: Context, ask: Ask, work: Work
) -> None:
    await asked(here, ask)
    await stumbles(here, keyless, work)
    await due_now(here, 1)

    await work(here.ctx, here.account_id, here.stalls[RAKUTEN].id)

    state, _, failed, outcome, *_ = await told(here)
    assert (state, failed, outcome) == ("DONE", 0, "DONE")


@pytest.mark.parametrize(
    ("ask", "work", "counts"),
    [(ask_reading, read_stock, (1, 1)), (ask_orders, fetch_initial_orders, (0, 0))],
)
async def test_after_the_tenth_it_is_given_up(
    here: Town, keyless: Context, ask: Ask, work: Work, counts: tuple[int, int]
) -> None:
    await asked(here, ask)
    await due_now(here, 9)

    await stumbles(here, keyless, work)

    assert (await told(here))[:5] == ("FAILED", *counts, "FAILED", 10)
