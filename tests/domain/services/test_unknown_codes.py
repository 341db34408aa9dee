"""モールにない商品コード: what a mall took a number for and does not know."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.model.malls import ItemRef, MallKind, MallTime, PushOutcome, StockReading
from domain.services import reading_back, readings, reflect_jobs
from domain.store import sync
from domain.store.database import Database, Tx
from domain.store.pushes import Unread
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import (
    a_listing,
    a_shop,
    counted,
    errors,
    imported,
    in_stock,
    shop_of,
    shown,
)
from tests.domain.services.turns import SOON, answers, claimed, lease_of, numbers, sent, unread

YAHOO = MallKind.YAHOO_SHOPPING
DELAY, HOUR = timedelta(hours=1), timedelta(hours=1)
LATER = SOON + DELAY


async def looked(tx: Tx, shop: Shop, *, known: bool, at: datetime) -> list[Unread]:
    """What was due is looked at, and stands at the mall as it was sent, or not at all."""
    asked = await unread(tx, shop, at=at)
    when = MallTime(at, at)
    told = [
        StockReading(each.ref, when, found=known, quantity=each.quantity if known else None)
        for each in asked
    ]
    await reading_back.read_back(tx, await shop_of(tx, shop.id), asked, told, now=at)
    return asked


async def a_zero_sent(tx: Tx, outcome: PushOutcome = PushOutcome.APPLIED) -> Shop:
    shop = await a_shop(tx, mall=MallKind.YAHOO_SHOPPING)
    await in_stock(tx, shop, TEA=5)
    await counted(tx, NOW, TEA=0)
    await answers(tx, await sent(tx, shop, at=SOON), outcome, at=SOON)
    return shop


@pytest.mark.parametrize("outcome", [PushOutcome.APPLIED, PushOutcome.ACCEPTED])
async def test_it_says_so_and_is_sent_no_more(db: Database, account: UUID, outcome: PushOutcome):
    async with db.transaction(account) as tx:
        shop = await a_zero_sent(tx, outcome)

        await looked(tx, shop, known=False, at=LATER)

        after = await shown(tx, shop, "tea")
        assert (after.not_pushed, after.base, after.waits) == (("UNKNOWN_AT_MALL",), None, False)
        assert await errors(tx) == [("UNKNOWN_AT_MALL", "OPEN", 1)]
        await counted(tx, LATER, TEA=7)
        assert (await shown(tx, shop, "tea")).waits is False


async def test_it_is_looked_for_every_hour_and_goes_out_when_it_is_there(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_zero_sent(tx)
        await looked(tx, shop, known=False, at=LATER)
        await counted(tx, LATER, TEA=7)

        assert await unread(tx, shop, at=LATER + HOUR - timedelta(seconds=1)) == []
        assert len(await looked(tx, shop, known=False, at=LATER + HOUR)) == 1
        assert len(await looked(tx, shop, known=True, at=LATER + 2 * HOUR)) == 1

        assert await errors(tx) == [("UNKNOWN_AT_MALL", "RESOLVED", 1)]
        epoch = await lease_of(tx, shop)
        assert numbers(await claimed(tx, shop, epoch, at=LATER + 3 * HOUR)) == [7]


async def test_one_error_counts_them_all_and_closes_with_the_last(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, mall=MallKind.YAHOO_SHOPPING)
        await in_stock(tx, shop, TEA=5, MUG=3, POT=2)
        await read(tx, shop, {"tea": None, "mug": None, "pot": 2})
        assert await errors(tx) == [("UNKNOWN_AT_MALL", "OPEN", 2)]

        await read(tx, shop, {"tea": 5, "mug": None, "pot": 2})
        assert [state for _, state, _ in await errors(tx)] == ["OPEN"]

        await read(tx, shop, {"tea": 5, "mug": 3, "pot": 2})
        assert [state for _, state, _ in await errors(tx)] == ["RESOLVED"]


async def read(tx: Tx, shop: Shop, told: dict[str, int | None]) -> None:
    """A person has the mall's numbers read."""
    await readings.ask(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=NOW)
    call = await readings.begin(tx, shop.id, now=LATER)
    assert call is not None
    when = MallTime(LATER, LATER)
    found = [
        StockReading(ItemRef(code), when, found=units is not None, quantity=units)
        for code, units in told.items()
    ]
    await readings.took(tx, call, found, now=LATER)


async def test_an_item_file_that_names_it_makes_it_known(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_zero_sent(tx)
        await looked(tx, shop, known=False, at=LATER)

        await imported(tx, shop, a_listing("TEA", 4), now=LATER)

        assert (await shown(tx, shop, "tea")).not_pushed == ()
        await reflect_jobs.ask(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=LATER)
        await answers(tx, await sent(tx, shop, at=LATER), at=LATER)
        assert await errors(tx) == [("UNKNOWN_AT_MALL", "RESOLVED", 1)]


@pytest.mark.parametrize(
    ("case", "mall", "told_by_file", "looked"),
    [
        ("it takes any code, and has told nothing of this one", YAHOO, None, 1),
        ("its own file tells of it", YAHOO, 3, 0),
        ("a mall that refuses what it does not know", MallKind.RAKUTEN, None, 0),
    ],
)
async def test_the_first_number_for_a_code_is_looked_at(
    db: Database, account: UUID, case: str, mall: MallKind, told_by_file: int | None, looked: int
):
    async with db.transaction(account) as tx:
        hardly_ever = {"read_back_one_in": "999999999"}
        shop = await a_shop(tx, mall=mall, sampled_at=LATER, settings=hardly_ever)
        await imported(tx, shop, a_listing("TEA", told_by_file))
        await counted(tx, NOW, TEA=5)

        await answers(tx, await sent(tx, shop, at=SOON), at=SOON)
        first = await unread(tx, shop, at=LATER)
        await counted(tx, LATER, TEA=6)
        await answers(tx, await sent(tx, shop, at=LATER), at=LATER)

        assert len(first) == looked, case
        assert await unread(tx, shop, at=LATER + HOUR) == [], "the next one is like any other"
