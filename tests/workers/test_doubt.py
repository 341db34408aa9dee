"""When nobody can know what a mall's counter reads: the number is sent again, once the doubt is over, and not before."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.services import shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, ref_at, town

YAHOO = MallKind.YAHOO_SHOPPING
MUG = ref_at(YAHOO, "MUG")


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """One shop at Yahoo, which does not tell whether a cut puts units back; our totals get them back."""
    async with town(db, malls, YAHOO) as made:
        await made.has(MUG=10)
        change = ShopChange(cancel_policy=CancelPolicy.RESTORE)
        shop_id = made.stalls[YAHOO].id
        await made.db.run(
            made.account_id,
            lambda tx: shops.update(tx, made.ctx.vault, SYSTEM, shop_id, change),
        )
        async with at_work(made.ctx):
            yield made


async def test_a_cut_that_may_have_put_units_back_is_answered_at_once_and_once_more(
    here: Town,
) -> None:
    await here.starts()
    number = await here.stalls[YAHOO].sells(MUG, 4)
    await eventually(lambda: _total_is(here, 6))
    await here.settled("MUG", 6)
    before = await _pushes(here)

    await here.stalls[YAHOO].asks("POST", "cut", number=number, by=3, **_named())

    await eventually(lambda: _total_is(here, 9))
    await here.settled("MUG", 9)
    assert await _pushes(here) - before <= 3


async def _pushes(here: Town) -> int:
    return int(await here.scalar("SELECT count(*) FROM pushes"))


async def _total_is(here: Town, total: int) -> bool:
    return await here.total("MUG") == total


def _named() -> dict[str, str]:
    return {"item_code": MUG.item_code, "variant_code": MUG.variant_code}
