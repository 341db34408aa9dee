"""What pricing operations and keeping budgets costs: the same reads with and without them, in short adjacent rounds.

    .venv/bin/python -m benchmarks.cost_accounting

Brings its own PostgreSQL. Prints operations a second of each way, and the median of the rounds' ratios.
"""

import asyncio
import logging
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from api.budgets import Allowance, Budgets
from api.context import Viewer
from api.execution import Engine
from api.feed import Feed
from api.requests import Request
from api.schema import schema
from benchmarks.saying import say
from domain.model.actors import Actor, ActorKind
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Role
from domain.store.database import Database
from integrations.bells import Bells
from renkei.database import bring_up_to_date, create_database, let_app_in
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import APP, Postgres, embedded_postgres
from tests.factories import a_listing, a_product, a_shop, an_account

ROUNDS = 16
SLICES = 10
GRID = (Path(__file__).parents[1] / "examples" / "operations" / "grid.graphql").read_text()
OPERATIONS: Mapping[str, tuple[str, int]] = {
    "who asks": ("{ viewer { locale } }", 300),
    "100 products with 5 listings each": (GRID, 40),
}
GENEROUS = Allowance(maximum=10_000, budget=10_000_000, restored=1_000_000)


async def main() -> None:
    folder = Path(tempfile.gettempdir()) / f"renkei-benchmark-{secrets.token_hex(4)}"
    try:
        with data_directory(folder) as data, embedded_postgres(data) as server:
            await measure(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def measure(server: Postgres) -> None:
    await create_database(server)
    await bring_up_to_date(server.url())
    await let_app_in(server)
    db = Database.at(server.url(user=APP))
    viewer = await a_viewer(db)
    feed = Feed(db, Bells("unix:///nowhere"))
    plain = Engine(schema()._schema, db, feed)
    priced = Engine(schema()._schema, db, feed, budgets=Budgets(db, GENEROUS))
    for name, (source, times) in OPERATIONS.items():
        request = Request(source, None, {})
        rounds = [await a_round(plain, priced, request, viewer, times) for _ in range(ROUNDS + 1)]
        show(name, rounds[1:])
    await db.close()


async def a_viewer(db: Database) -> Viewer:
    """Of an account with 100 products, each listed at 5 shops."""
    account = await an_account(db)
    async with db.transaction(account) as tx:
        shops = [await a_shop(tx, f"店舗 {nth}") for nth in range(5)]
        for nth in range(100):
            product = await a_product(tx, f"ITEM-{nth:03}", total=10)
            for shop in shops:
                await a_listing(tx, shop, f"item-{nth:03}", product_id=product)
    actor = Actor(ActorKind.TOKEN, "benchmark", UUID(int=1))
    return Viewer(account, PERMISSIONS[Role.OWNER], Locale.EN, actor)


async def a_round(
    plain: Engine, priced: Engine, request: Request, viewer: Viewer, times: int
) -> tuple[float, float]:
    """In slices that take turns, so that both meet the same weather."""
    spent = {plain: 0.0, priced: 0.0}
    for _ in range(SLICES):
        for engine in spent:
            spent[engine] += await seconds(engine, request, viewer, times // SLICES)
    return times / spent[plain], times / spent[priced]


async def seconds(engine: Engine, request: Request, viewer: Viewer, times: int) -> float:
    """Of so many operations, one after another."""
    began = time.perf_counter()
    for _ in range(times):
        operation = await engine.prepared(request, viewer)
        await engine.answer(operation, viewer)
    return time.perf_counter() - began


def show(name: str, rounds: list[tuple[float, float]]) -> None:
    without, with_it = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(priced / plain for plain, priced in rounds)
    say(f"{name}: {without:.0f}/s without, {with_it:.0f}/s with; ratio {ratio:.3f}")


def quiet(*_: Any) -> Any:
    raise structlog.DropEvent


if __name__ == "__main__":
    structlog.configure(processors=[quiet])
    logging.disable(logging.INFO)
    asyncio.run(main())
