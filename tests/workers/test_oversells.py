"""Malls that sell more than there is: what the merchant is told about it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.model.malls import MallKind
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, named, ref_at, town

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """One unit, at two malls."""
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        await made.has(MUG=1)
        async with at_work(made.ctx):
            yield made


async def rests(here: Town) -> bool:
    """Nothing is to be read back, and a second has passed: the mall stamps its orders with whole seconds."""
    return bool(
        await here.scalar(
            "SELECT max(base_latest) < date_trunc('second', clock_timestamp()) AND"
            " NOT EXISTS (SELECT FROM pushes WHERE read_back_at IS NOT NULL) FROM listing_sync"
        )
    )


async def is_told(here: Town, cause: str) -> None:
    async def so() -> bool:
        return bool(await here.query("SELECT id FROM oversell_incidents"))

    await eventually(so)
    found = await here.query("SELECT cause, units, closed_at FROM oversell_incidents")
    assert [tuple(row) for row in found] == [(cause, 1, None)]


async def test_two_malls_that_sell_the_last_unit_at_once(here: Town) -> None:
    for kind in (RAKUTEN, YAHOO):
        await here.stalls[kind].goes_wrong("late_orders", seconds=2)
    await here.starts()

    await asyncio.gather(
        *(here.stalls[kind].sells(ref_at(kind, "MUG")) for kind in (RAKUTEN, YAHOO))
    )

    await is_told(here, "SIMULTANEOUS_ORDERS")


async def test_a_mall_whose_stock_was_raised_by_hand(here: Town) -> None:
    """Zero was sent and stood; then somebody set another number in the mall's own screens."""
    await here.starts()
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"))
    await here.settled("MUG", 0)
    await eventually(lambda: rests(here))
    stall, ref = here.stalls[YAHOO], ref_at(YAHOO, "MUG")
    await stall.asks("PUT", "items", items=[named(ref) | {"quantity": 5}])

    await stall.sells(ref)

    await is_told(here, "RAISED_AT_MALL")
