"""The switches: orders and reflect of each shop by themselves, and the master switch above them all (A1.15, A1.16)."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.shops import SyncPart
from domain.services import switches
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, now, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
ORDERS, REFLECT = SyncPart.ORDERS, SyncPart.REFLECT
MUG = "MUG"


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at three malls that are switched off, and a worker that goes by its clock alone."""
    async with town(db, malls, RAKUTEN, YAHOO, AMAZON) as made:
        await made.has(MUG=10)
        async with at_work(made.ctx):
            yield made


async def switched(
    here: Town, kind: MallKind | None, parts: Collection[SyncPart] = (), *, on: bool = True
) -> None:
    """These parts of the shop, or without one the master switch."""
    switch = switches.start_sync if on else switches.stop_sync
    ids = None if kind is None else [here.stalls[kind].id]
    await here.db.run(here.account_id, lambda tx: switch(tx, SYSTEM, ids, parts, now=now()))


async def total_is(here: Town, total: int) -> None:
    async def so() -> bool:
        return await here.total(MUG) == total

    await eventually(so)


async def shows(here: Town, **quantities: int) -> None:
    """Each of these malls, by its name."""

    async def so() -> bool:
        shown = {kind.value: units for kind, units in (await here.everywhere(MUG)).items()}
        return all(shown[name] == units for name, units in quantities.items())

    await eventually(so)


async def test_orders_without_reflect_and_reflect_without_orders(here: Town) -> None:
    """Rakuten's orders count and nothing is sent there; Amazon is told everything, and its orders are not read."""
    await switched(here, None)
    await switched(here, RAKUTEN, [ORDERS])
    await switched(here, AMAZON, [REFLECT])
    await switched(here, YAHOO, [ORDERS, REFLECT])

    await here.stalls[AMAZON].sells(ref_at(AMAZON, MUG), 4)
    await here.stalls[YAHOO].sells(ref_at(YAHOO, MUG), 2)
    await shows(here, AMAZON=8, YAHOO_SHOPPING=8)
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, MUG), 3)
    await shows(here, AMAZON=5, YAHOO_SHOPPING=5, RAKUTEN=7)

    await total_is(here, 5)
    taken = "SELECT s.mall FROM orders o JOIN shops s ON s.id = o.shop_id ORDER BY s.mall"
    assert [each.mall for each in await here.query(taken)] == ["RAKUTEN", "YAHOO_SHOPPING"]
    sent = "SELECT DISTINCT s.mall FROM pushes p JOIN shops s ON s.id = p.shop_id"
    assert "RAKUTEN" not in [each.mall for each in await here.query(sent)]


async def test_nothing_goes_in_or_out_while_the_master_switch_is_off(here: Town) -> None:
    """Whatever the shops' own switches say; what was sold meanwhile is taken when it is on again."""
    for kind in (RAKUTEN, YAHOO, AMAZON):
        await switched(here, kind, [ORDERS, REFLECT])
    await here.stalls[YAHOO].sells(ref_at(YAHOO, MUG), 2)
    await _a_while_passes(here)
    assert await here.scalar("SELECT count(orders_seen_at) FROM shops") == 0
    assert await here.total(MUG) == 10
    assert await here.scalar("SELECT count(*) FROM pushes") == 0

    await switched(here, None)
    await here.settled(MUG, 8)

    await switched(here, None, on=False)
    await _a_while_passes(here)
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, MUG), 3)
    await _a_while_passes(here)
    assert await here.total(MUG) == 8
    assert await here.everywhere(MUG) == {RAKUTEN: 5, YAHOO: 8, AMAZON: 8}

    await switched(here, None)
    await here.settled(MUG, 5)


async def _a_while_passes(here: Town) -> None:
    """The clock comes round for three seconds more: shops that may be polled are, each second."""
    last = "SELECT until FROM clock_leases WHERE name = 'sweep'"

    async def turned_at() -> datetime:
        async with here.db.connection() as connection:
            at: datetime = await connection.scalar(text(last))
            return at

    begun = await turned_at()

    async def so() -> bool:
        return await turned_at() > begun + timedelta(seconds=3)

    await eventually(so)
