"""Two items that a mall refuses with all that goes with them, and names nobody."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, open_errors, product_ids, town
from workers.reflect import MOST_CALLS_PER_BATCH

YAHOO = MallKind.YAHOO_SHOPPING
MANY = {f"P-{nth:03}": 9 for nth in range(398)}
POISON = {"P_100": 9, "P_300": 9}
"""Yahoo takes no underscore in a code, and refuses the whole call for it."""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Four hundred listings at Yahoo, and a worker that goes by its clock alone."""
    async with town(db, malls, YAHOO) as made:
        await made.has(**MANY)
        await made.db.run(made.account_id, lambda tx: made._import(tx, YAHOO, POISON))
        await made.db.run(made.account_id, lambda tx: made._count(tx, POISON))
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def test_the_other_398_are_sent_and_they_alone_are_put_aside(here: Town) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, [*MANY, *POISON])
        items = [stock.NewTotal(product, 4) for product in ids.values()]
        await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

    await here.db.run(here.account_id, work)

    async def are_alone() -> bool:
        left = "SELECT l.item_code FROM listing_sync s JOIN listings l ON l.id = s.listing_id WHERE s.base <> 4"
        return {each.item_code for each in await here.query(left)} == {*POISON}

    await eventually(are_alone, within=90)
    items = (await here.stalls[YAHOO].asks("GET", "state"))["items"]
    assert {each["quantity"] for each in items} == {4}

    async def are_told() -> bool:
        hit = "SELECT l.item_code FROM sync_error_listings h JOIN listings l ON l.id = h.listing_id"
        return {each.item_code for each in await here.query(hit)} == {*POISON}

    await eventually(are_told)
    assert await open_errors(here) == [(8, "ITEM_REFUSED")]
    assert await here.scalar("SELECT state FROM shops") == "RUNNING"
    halves = """SELECT count(DISTINCT call_id) FROM pushes WHERE state = 'SUPERSEDED'
        AND id < (SELECT id FROM pushes WHERE state = 'REFUSED' ORDER BY id LIMIT 1)"""
    assert 1 < await here.scalar(halves) < MOST_CALLS_PER_BATCH
