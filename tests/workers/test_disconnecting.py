"""連携解除 while everything runs: the shop that is given up is left alone, and the others go on."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.jobs import JobKind
from domain.model.malls import MallKind
from domain.services import disconnecting
from domain.store import jobs
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, ref_at, town
from workers.check_shop import check_shop

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        await made.has(MUG=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def gives_up(here: Town, kind: MallKind) -> None:
    shop = here.stalls[kind].id

    async def work(tx: Tx) -> None:
        await disconnecting.disconnect(tx, SYSTEM, shop, delete_listings=True, now=now())

    await here.db.run(here.account_id, work)


async def test_the_others_go_on_and_it_keeps_its_number(here: Town) -> None:
    await gives_up(here, RAKUTEN)

    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 2)
    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 3)

    async def so() -> bool:
        return await here.total("MUG") == 7 and not await here.unsettled()

    await eventually(so)
    assert await here.everywhere("MUG") == {RAKUTEN: 8, YAHOO: 7}
    assert await here.scalar("SELECT count(*) FROM sync_errors") == 0


async def test_a_bell_that_rang_before_it_wakes_nobody(here: Town) -> None:
    shop = here.stalls[RAKUTEN].id
    await gives_up(here, RAKUTEN)

    async def work(tx: Tx) -> None:
        await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop, actor=SYSTEM)

    await here.db.run(here.account_id, work)

    await check_shop(here.ctx, here.account_id, shop)

    assert await here.scalar("SELECT checked_at FROM shops WHERE id = :shop", shop=shop) is None
    assert (
        await here.scalar("SELECT count(*) FROM shop_credentials WHERE shop_id = :shop", shop=shop)
        == 0
    )
