"""Two workers and one shop: nobody's bell is lost, whoever has the turn."""

import asyncio
from dataclasses import replace

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store import shops
from domain.store.database import Database, Tx
from tests.domain.services.story import someone_waits
from tests.workers.town import now, product_ids, ref_at, town
from workers.reflect import push_waiting

RAKUTEN = MallKind.RAKUTEN


async def test_what_is_rung_for_while_a_turn_ends_goes_out_with_it(
    db: Database, malls: str
) -> None:
    """The first has seen that nothing waits; the second is rung, and finds the turn taken."""
    async with town(db, malls, RAKUTEN) as here:
        await here.has(MUG=10)
        await here.starts()
        stall = here.stalls[RAKUTEN]
        await push_waiting(here.ctx, here.account_id, stall.id)
        second = replace(here.ctx, holder="second")

        async with db.transaction(here.account_id) as held:
            await shops.lock(held, stall.id)
            first = asyncio.create_task(push_waiting(here.ctx, here.account_id, stall.id))
            await someone_waits(db)
            await here.db.run(here.account_id, lambda tx: _sets(tx, 0))
            await push_waiting(second, here.account_id, stall.id)
            assert await stall.shows(ref_at(RAKUTEN, "MUG")) == 10

        await first

        assert await stall.shows(ref_at(RAKUTEN, "MUG")) == 0


async def _sets(tx: Tx, total: int) -> None:
    ids = await product_ids(tx, ["MUG"])
    await stock.set_totals(tx, SYSTEM, [stock.NewTotal(ids["MUG"], total)], reflect=True, now=now())
