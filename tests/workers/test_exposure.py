"""超過表示: what a merchant reads of how long malls showed more than was left."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from api.plan import Planner
from api.schema import schema
from domain.model.malls import MallKind
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.workers.town import Town, at_work, eventually, ref_at, town

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
ASK = """{ product(code: "MUG") { exposure { seconds longestSeconds times since
    byShop { seconds times shop { mall { kind } } } } } }"""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at two malls, and a worker that goes by its clock alone."""
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        await made.has(MUG=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def told(here: Town) -> dict[str, Any]:
    asker = Asker(here.db, Planner(schema()._schema), here.account_id)
    exposure: dict[str, Any] = (await asker.ask(ASK))["product"]["exposure"]
    return exposure


async def test_an_order_that_comes_late_exposes_the_others_since_it_was_placed(here: Town) -> None:
    await here.stalls[RAKUTEN].goes_wrong("late_orders", seconds=2)
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)

    await here.settled("MUG", 7)

    exposure = await told(here)
    [order] = await here.query("SELECT placed_at, fetched_at FROM orders")
    [only] = exposure["byShop"]
    assert (exposure["since"], exposure["times"]) == (None, 1)
    assert only == {
        "seconds": exposure["seconds"],
        "times": 1,
        "shop": {"mall": {"kind": "YAHOO_SHOPPING"}},
    }, "the mall that sold them took them off itself"
    assert exposure["seconds"] >= _seconds(order.placed_at, order.fetched_at) - 1


async def test_as_long_as_a_mall_is_closed_it_is_exposed(here: Town) -> None:
    await here.settled("MUG", 10)
    await here.stalls[YAHOO].goes_wrong("maintenance")
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)

    async def is_taken() -> bool:
        return await here.total("MUG") == 4

    await eventually(is_taken)
    during = await told(here)
    await here.stalls[YAHOO].goes_right()
    await here.settled("MUG", 4)

    after = await told(here)
    assert (during["since"] is not None, during["times"]) == (True, 0)
    assert (after["since"], after["times"]) == (None, 1), "one time, however much was sold in it"
    assert after["longestSeconds"] == after["seconds"] > 0


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
