"""A number that is to be sent once more, because nobody can tell whether a sale at the mall came before or after it."""

from datetime import timedelta
from uuid import UUID

from domain.model.base import SURELY_LATER
from domain.model.errors import MallRefused
from domain.model.malls import MallKind
from domain.model.reflect import Lane
from domain.services import stock
from domain.services.stock import NewTotal
from domain.store import shops
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import OWNER
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    everywhere_right,
    imported,
    in_stock,
    product_ids,
    shown,
    take,
)
from tests.domain.services.turns import SOON, answers, claimed, fails, lease_of, numbers, sent

SECOND = timedelta(seconds=1)


async def two_shops(tx: Tx) -> tuple[Shop, Shop]:
    """Fourteen of TEA at Rakuten and at Yahoo."""
    rakuten, yahoo = await a_shop(tx), await a_shop(tx, "Yahoo", MallKind.YAHOO_SHOPPING)
    await in_stock(tx, rakuten, TEA=14)
    await imported(tx, yahoo, a_listing("TEA"))
    await everywhere_right(tx)
    return rakuten, yahoo


async def in_the_same_second(tx: Tx, rakuten: Shop, yahoo: Shop) -> None:
    """Rakuten sells 3, Yahoo is told of the 11 that are left, and sells one in the second of our call."""
    await take(tx, rakuten, an_order("R-1", ("tea", 3), placed_at=SOON - SECOND), at=SOON)
    told = await sent(tx, yahoo)
    await take(tx, yahoo, an_order("Y-1", ("tea", 1), placed_at=SOON), at=SOON)
    await answers(tx, told)
    await answers(tx, await sent(tx, yahoo))
    assert (await shown(tx, yahoo, "tea")).base is None


async def goes_out(tx: Tx, shop: Shop, *, after: timedelta) -> list[tuple[int, int]]:
    """(number, lane) of what a claim takes so long after."""
    batch = await claimed(tx, shop, await lease_of(tx, shop), at=SOON + after)
    return [(each.quantity, each.lane) for each in batch.attempts] if batch else []


async def test_it_waits_until_it_can_be_believed(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        rakuten, yahoo = await two_shops(tx)
        await in_the_same_second(tx, rakuten, yahoo)

        assert await goes_out(tx, yahoo, after=SECOND) == []
        assert await goes_out(tx, yahoo, after=SURELY_LATER + SECOND) == [(10, Lane.OTHER)]


async def test_what_falls_meanwhile_does_not_wait_for_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        rakuten, yahoo = await two_shops(tx)
        await in_the_same_second(tx, rakuten, yahoo)

        await take(tx, rakuten, an_order("R-2", ("tea", 2), placed_at=SOON), at=SOON + SECOND)

        assert await goes_out(tx, yahoo, after=SECOND) == [(8, Lane.DECREASE)]


async def test_what_rises_meanwhile_does(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        rakuten, yahoo = await two_shops(tx)
        await in_the_same_second(tx, rakuten, yahoo)

        more = [NewTotal((await product_ids(tx))["TEA"], 20)]
        await stock.set_totals(tx, OWNER, more, reflect=True, now=SOON + SECOND)

        assert numbers(await claimed(tx, rakuten, await lease_of(tx, rakuten))) == [20]
        assert await goes_out(tx, yahoo, after=SURELY_LATER + 2 * SECOND) == [(20, Lane.OTHER)]


async def test_no_fall_puts_off_what_goes_out_by_the_shops_interval(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        rakuten, yahoo = await two_shops(tx)
        await in_the_same_second(tx, rakuten, yahoo)
        await shops.change(tx, yahoo.id, reflect_interval_seconds=300)

        await take(tx, rakuten, an_order("R-2", ("tea", 2), placed_at=SOON), at=SOON + SECOND)

        assert await goes_out(tx, yahoo, after=SECOND) == []
        assert await goes_out(tx, yahoo, after=SURELY_LATER + SECOND) == [(8, Lane.DECREASE)]


async def test_what_was_refused_goes_on_waiting(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        rakuten, yahoo = await two_shops(tx)
        await in_the_same_second(tx, rakuten, yahoo)
        again = await sent(tx, yahoo, at=SOON + SURELY_LATER + SECOND)
        await fails(tx, again, MallRefused("no"), at=SOON + SECOND)

        await take(tx, rakuten, an_order("R-2", ("tea", 2), placed_at=SOON), at=SOON + SECOND)

        assert await goes_out(tx, yahoo, after=SECOND) == []
