"""A mall that takes numbers for codes it does not know: it is found out, said, and put right by itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.plan import Planner
from api.schema import schema
from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.api.conftest import Asker
from tests.workers.town import (
    Town,
    at_work,
    eventually,
    named,
    now,
    open_errors,
    product_ids,
    ref_at,
    town,
)

YAHOO = MallKind.YAHOO_SHOPPING
ASK = """{ listings { edges { node { itemCode notPushed mallStock { quantity }
    nearCodes { reason listing { itemCode } } openErrors { kind } } } } }"""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at Yahoo, every number of which is read back, and a worker that goes by its clock alone."""
    async with town(db, malls, YAHOO, one_in="1") as made:
        await made.has(**{"MUG-1": 10})
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def lists(here: Town, code: str, total: int) -> None:
    """Listed here under a code that nothing stands under at the mall, counted and sent."""
    await here.db.run(here.account_id, lambda tx: here._import(tx, YAHOO, {code: 1}))

    async def work(tx: Tx) -> None:
        product = (await product_ids(tx, [code]))[code]
        await stock.set_totals(
            tx, SYSTEM, [stock.NewTotal(product, total)], reflect=True, now=now()
        )

    await here.db.run(here.account_id, work)


async def told(here: Town, code: str) -> dict[str, Any]:
    asker = Asker(here.db, Planner(schema()._schema), here.account_id)
    edges = (await asker.ask(ASK))["listings"]["edges"]
    return next(edge["node"] for edge in edges if edge["node"]["itemCode"] == code)


async def test_it_is_found_out_and_the_code_that_was_meant_is_offered(here: Town) -> None:
    await lists(here, "MUG01", 5)

    async def is_found() -> bool:
        return (8, "UNKNOWN_AT_MALL") in await open_errors(here)

    await eventually(is_found)
    assert await told(here, "MUG01") == {
        "itemCode": "MUG01",
        "notPushed": ["UNKNOWN_AT_MALL"],
        "mallStock": {"quantity": None},
        "nearCodes": [{"reason": "LEADING_ZEROS", "listing": {"itemCode": "MUG-1"}}],
        "openErrors": [{"kind": "UNKNOWN_AT_MALL"}],
    }
    assert (await told(here, "MUG-1"))["nearCodes"] == []


async def test_it_is_sent_once_it_stands_at_the_mall(here: Town) -> None:
    await lists(here, "LAMP", 5)

    async def is_found() -> bool:
        return bool(await open_errors(here))

    await eventually(is_found)
    item = named(ref_at(YAHOO, "LAMP")) | {"name": "LAMP", "quantity": 99}
    await here.stalls[YAHOO].asks("PUT", "items", items=[item])

    await here.settled("LAMP", 5)
    assert await open_errors(here) == []
    assert (await told(here, "LAMP"))["notPushed"] == []
