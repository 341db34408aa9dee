"""While a mall is closed, every listing that waits for it is shown as a difference that says why, and goes out by itself after."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest

from api.plan import Planner
from api.schema import schema
from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.api.conftest import Asker
from tests.workers.town import Town, eventually, now, open_errors, product_ids, ref_at, town
from workers import clock

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
CODES = ("MUG", "TEA", "POT")
MANY = {f"ITEM-{nth:03}": 10 for nth in range(120)}
DIFFERENCES = """query Page($after: String) { differences(first: 50, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { itemCode quantityToShow mallStock { quantity } difference { cause delta } shop { id state } } } } }"""
SHOPS = """{ shops { name state ordersSeenAt pending { toZero decreases others }
    mall { kind capabilities { orderFreshnessSeconds } } } }"""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Three products at three malls, and a worker that goes by its clock alone."""
    async with town(db, malls, RAKUTEN, YAHOO, AMAZON) as made:
        await made.has(**dict.fromkeys(CODES, 10))
        await made.starts()
        working = asyncio.create_task(clock.run(made.ctx, sweep_seconds=0.1))
        yield made
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def asker(here: Town) -> Asker:
    return Asker(here.db, Planner(schema()._schema), here.account_id)


async def pages(here: Town) -> list[list[dict[str, Any]]]:
    """The list, page by page, while things go on."""
    found: list[list[dict[str, Any]]] = []
    after, goes_on = None, True
    while goes_on:
        page = (await asker(here).ask(DIFFERENCES, after=after))["differences"]
        found.append([edge["node"] for edge in page["edges"]])
        after, goes_on = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found


async def all_told(here: Town) -> int:
    return int(
        (await asker(here).ask("{ differences { totalCount } }"))["differences"]["totalCount"]
    )


async def sets_totals(tx: Tx, codes: Collection[str], total: int) -> None:
    ids = await product_ids(tx, list(codes))
    items = [stock.NewTotal(ids[code], total) for code in codes]
    await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())


async def test_the_list_shows_all_that_waits_and_is_empty_afterwards(here: Town) -> None:
    closed, sells = here.stalls[YAHOO], here.stalls[RAKUTEN]
    await here.has(**MANY)
    await closed.goes_wrong("maintenance")
    for units, code in enumerate(CODES, start=4):
        await sells.sells(ref_at(RAKUTEN, code), units)
    await here.db.run(here.account_id, lambda tx: sets_totals(tx, MANY, 7))

    async def all_are_there() -> bool:
        waiting = {each["shop"]["id"] for page in await pages(here) for each in page}
        return len(waiting) == 1 and [len(page) for page in await pages(here)] == [50, 50, 23]

    await eventually(all_are_there)
    shown = [each for page in await pages(here) for each in page]
    assert await all_told(here) == len(shown) == len(CODES) + len(MANY)
    assert {
        each["itemCode"]: (each["quantityToShow"], each["mallStock"]["quantity"]) for each in shown
    } == {"MUG": (6, 10), "TEA": (5, 10), "POT": (4, 10)} | dict.fromkeys(MANY, (7, 10))
    assert {each["shop"]["state"] for each in shown} == {"MAINTENANCE"}
    assert {each["difference"]["cause"] for each in shown} <= {"PUSH_FAILED", "NOT_APPLIED"}
    assert (8, "MAINTENANCE") in await open_errors(here)

    await closed.goes_right()

    for units, code in enumerate(CODES, start=4):
        await here.settled(code, 10 - units)
    assert (await pages(here), await all_told(here)) == ([[]], 0)
    assert await open_errors(here) == []


async def test_each_shop_says_how_fresh_its_orders_are_and_have_to_be(here: Town) -> None:
    await eventually(lambda: _all_seen(here))

    shops = (await asker(here).ask(SHOPS))["shops"]

    assert all(each["ordersSeenAt"] for each in shops)
    assert {each["mall"]["kind"] for each in shops} == {"RAKUTEN", "YAHOO_SHOPPING", "AMAZON"}
    assert all(each["mall"]["capabilities"]["orderFreshnessSeconds"] > 0 for each in shops)


async def _all_seen(here: Town) -> bool:
    return int(await here.scalar("SELECT count(orders_seen_at) FROM shops")) == 3
