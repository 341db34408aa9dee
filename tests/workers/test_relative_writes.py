"""A unit that was sold at a mall and is not yet known here: a change leaves it sold, a number puts it back for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.model.malls import MallKind
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, ref_at, sandbox_served, shop_of, town

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
MUG = ref_at(YAHOO, "MUG")
SPEED = 1000
OUR_SPEED = 60
"""Slow enough that a look at what was written comes after the order that is late."""


@asynccontextmanager
async def two_shops(db: Database, *, relative: bool) -> AsyncIterator[Town]:
    """Ten mugs at both, sold once at Rakuten, so that Yahoo's counter was written and rests."""
    async with (
        sandbox_served(SPEED) as address,
        town(db, address, RAKUTEN, YAHOO, speed=str(OUR_SPEED), one_in="9999") as here,
    ):
        await here.has(MUG=11)
        await here.db.run(here.account_id, lambda tx: _switch(tx, here, relative))
        async with at_work(here.ctx):
            await here.starts()
            await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"))
            await here.settled("MUG", 10)
            await eventually(lambda: _rests(here))
            yield here


@pytest.mark.parametrize(
    ("relative", "first", "read"),
    [(True, ("RELATIVE", -2, 7), {7}), (False, ("ABSOLUTE", 8, 8), {8, 7})],
)
async def test_a_purchase_between_our_look_and_our_write(
    db: Database, relative: bool, first: tuple[str, int, int], read: set[int]
) -> None:
    async with two_shops(db, relative=relative) as here:
        before = len(await _writes(here))
        await here.stalls[YAHOO].goes_wrong("late_orders", seconds=3, calls=1)
        await here.stalls[YAHOO].sells(MUG)

        await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 2)

        await eventually(lambda: _total_is(here, 7))
        await here.settled("MUG", 7)
        written = (await _writes(here))[before:]
        assert written[0] == first
        assert {each[2] for each in written} == read


async def _switch(tx: Tx, here: Town, relative: bool) -> None:
    shop = await shop_of(tx, here.stalls[YAHOO].id)
    settings = dict(shop.settings) | {"relative_writes": str(relative).lower()}
    await shop_rows.change(tx, shop.id, settings=settings, sampled_at=now())


async def _rests(here: Town) -> bool:
    """Nobody could take our last write for one that came after another."""
    late = "SELECT count(*) FROM listing_sync WHERE base_latest > now() - interval '2.1 seconds'"
    return int(await here.scalar(late)) == 0


async def _total_is(here: Town, total: int) -> bool:
    return await here.total("MUG") == total


async def _writes(here: Town) -> list[tuple[str, int, int]]:
    """What was written to Yahoo's counter, and what it read then."""
    writes = (await here.stalls[YAHOO].asks("GET", "state"))["writes"]
    return [(each["mode"], each["sent"], each["quantity"]) for each in writes]
