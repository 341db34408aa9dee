"""A number that a mall has only queued may land after a sale of its own, and then puts the sold units back on the counter."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.model.malls import MallKind, PushOutcome
from domain.services import stock
from domain.services.stock import NewTotal
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import a_shop, an_order, in_stock, product_ids, shown, take
from tests.domain.services.turns import (
    SOON,
    answers,
    claimed,
    lease_of,
    looks,
    numbers,
    sent,
    unread,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SEEN_AT = SOON + 5 * MINUTE
LATER = SOON + 8 * MINUTE


async def eleven_queued(tx: Tx) -> Shop:
    """Amazon has taken an 11, and shows it some time after."""
    shop = await a_shop(tx, mall=MallKind.AMAZON, sampled_at=NOW)
    await in_stock(tx, shop, TEA=14)
    items = [NewTotal((await product_ids(tx))["TEA"], 11)]
    await stock.set_totals(tx, OWNER, items, reflect=True, now=SOON)
    await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)
    return shop


async def goes_out(tx: Tx, shop: Shop, *, at: datetime = LATER) -> Sequence[int]:
    return numbers(await claimed(tx, shop, await lease_of(tx, shop), at=at))


@pytest.mark.parametrize("learnt_of", ["before it was seen to stand", "after"])
async def test_a_sale_before_the_number_stood_is_written_again(
    db: Database, account: UUID, learnt_of: str
):
    async with db.transaction(account) as tx:
        shop = await eleven_queued(tx)
        sale = an_order("A-1", ("tea", 6), placed_at=SOON + 37 * SECOND)
        if learnt_of == "before it was seen to stand":
            await take(tx, shop, sale, at=SOON + 3 * MINUTE)
            await looks(tx, shop, await unread(tx, shop, at=SEEN_AT), 11, at=SEEN_AT)
        else:
            await looks(tx, shop, await unread(tx, shop, at=SEEN_AT), 11, at=SEEN_AT)
            await take(tx, shop, sale, at=SEEN_AT + MINUTE)

        assert (await shown(tx, shop, "tea")).base is None
        assert await goes_out(tx, shop) == [5]


async def test_a_sale_after_it_was_seen_to_stand_moves_what_the_mall_shows(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await eleven_queued(tx)
        await looks(tx, shop, await unread(tx, shop, at=SEEN_AT), 11, at=SEEN_AT)

        sale = an_order("A-1", ("tea", 6), placed_at=SEEN_AT + MINUTE)
        await take(tx, shop, sale, at=SEEN_AT + 2 * MINUTE)

        assert (await shown(tx, shop, "tea")).base == 5
        assert await goes_out(tx, shop) == []


async def test_a_sale_before_it_was_sent_is_written_over_by_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await eleven_queued(tx)

        sale = an_order("A-1", ("tea", 6), placed_at=SOON - MINUTE)
        await take(tx, shop, sale, at=SOON + 3 * MINUTE)

        assert (await shown(tx, shop, "tea")).base == 11
        assert await goes_out(tx, shop) == [5]
