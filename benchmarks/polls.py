"""What it costs to ask a mall for its orders: nothing new, what is known already, and what is new.

    .venv/bin/python -m benchmarks.polls

One shop at each mall, limits and delays lifted; the work of a worker is done in this process, so that its seconds are
its own. Windows reach back five seconds: a poll reads again whatever came in that time. Printed for each mall: the
milliseconds that we and PostgreSQL worked, and the statements and calls that were sent, in one poll; for new orders by
order.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import structlog
from sqlalchemy import event
from sqlalchemy.pool import Pool

from benchmarks.market import MallShop, Market, market
from benchmarks.saying import say
from benchmarks.shoppers import in_plenty, orders_of, shop
from benchmarks.stand import UNHINDERED, Stand, stand
from domain.model.malls import MallKind
from domain.services.credentials import Vault
from domain.store.database import Database
from integrations import connections
from integrations.connections import Http
from renkei.demo.baskets import Baskets
from renkei.demo.seeding import now
from workers.context import Context, Malls
from workers.import_orders import fetch_orders

BASKETS = 500
ORDERS = 40
ROUNDS = 5
POLLS = 12
IN_A_HURRY = 10_000.0
FORGOTTEN_SECONDS = 8.0
"""Longer than a window reaches back."""


@dataclass(slots=True)
class Sent:
    """What left this process."""

    statements: int = 0
    calls: int = 0


@dataclass(slots=True)
class Cost:
    """Summed over some polls."""

    polls: int = 0
    ours: float = 0.0
    postgres: float = 0.0
    sent: Sent = field(default_factory=Sent)


@dataclass(slots=True)
class Counted:
    """Counts the calls that go through it."""

    inner: Http
    sent: Sent

    def stream(
        self, method: str, url: str, **parts: Any
    ) -> AbstractAsyncContextManager[httpx.Response]:
        self.sent.calls += 1
        return self.inner.stream(method, url, **parts)


@dataclass(slots=True)
class Bench:
    here: Stand
    there: Market
    ctx: Context
    sent: Sent
    baskets: Baskets

    async def place(self, at: MallShop, count: int) -> None:
        """`count` orders enter the mall's list."""
        await shop([at], orders_of(self.baskets, count), IN_A_HURRY)

    async def poll(self, at: MallShop, cost: Cost) -> None:
        self.here.cpu.lap()
        statements, calls = self.sent.statements, self.sent.calls
        begun = time.process_time()
        await fetch_orders(self.ctx, self.there.account_id, at.id)
        cost.ours += time.process_time() - begun
        cost.postgres += self.here.cpu.lap()["postgres"]
        cost.sent.statements += self.sent.statements - statements
        cost.sent.calls += self.sent.calls - calls
        cost.polls += 1


@asynccontextmanager
async def bench(here: Stand, kinds: Sequence[MallKind]) -> AsyncIterator[Bench]:
    baskets = Baskets(BASKETS)
    sent = Sent()
    event.listen(Pool, "connect", lambda connection, _: _watch(connection, sent))
    db = Database.at(here.settings.database_url, pool_size=4)
    try:
        async with (
            connections.opened() as http,
            market(here, kinds, in_plenty(baskets.catalogue)) as there,
        ):
            vault = Vault(here.settings.secret_key)
            ctx = Context(db, Malls(db, vault, Counted(http, sent)), vault, "benchmark", now)
            yield Bench(here, there, ctx, sent, baskets)
    finally:
        await db.close()


def _watch(connection: Any, sent: Sent) -> None:
    def note(_: object) -> None:
        sent.statements += 1

    connection.driver_connection.add_query_logger(note)


async def measured(here: Stand) -> None:
    say(f"{'':<30}{'ours':>8}{'postgres':>10}{'statements':>12}{'calls':>8}")
    async with bench(here, tuple(MallKind)) as on:
        for each in on.there.shops:
            await _measure(on, each)


async def _measure(on: Bench, at: MallShop) -> None:
    nothing, known, new = Cost(), Cost(), Cost()
    await on.poll(at, Cost())
    for _ in range(POLLS):
        await on.poll(at, nothing)
    for _ in range(ROUNDS):
        await on.place(at, ORDERS)
        await on.poll(at, new)
        for _ in range(POLLS // ROUNDS):
            await on.poll(at, known)
        await asyncio.sleep(FORGOTTEN_SECONDS)
    show(at, "nothing", nothing, nothing.polls)
    show(at, f"{ORDERS} known", known, known.polls)
    show(at, "a new order", new, new.polls * ORDERS)


def show(at: MallShop, name: str, cost: Cost, by: int) -> None:
    say(
        f"{at.stall.kind.value:<18}{name:<12}{1000 * cost.ours / by:>8.2f}{1000 * cost.postgres / by:>10.2f}"
        f"{cost.sent.statements / by:>12.1f}{cost.sent.calls / by:>10.2f}"
    )


def main() -> None:
    with stand(workers=0, speed=UNHINDERED) as here:
        asyncio.run(measured(here))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    main()
