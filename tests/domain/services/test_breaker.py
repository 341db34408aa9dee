"""A mall that fails call after call is left alone, tried with the most urgent number, and goes on when that stands."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.model.errors import MallError, MallOutcomeUnknown, MallRefused, MallUnavailable
from domain.services import settling
from domain.services.reflect import Batch
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, row, rows
from tests.domain.services.story import a_shop, counted, in_stock, shop_of
from tests.domain.services.turns import SOON, answers, claimed, fails, lease_of, sent

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NO_ANSWER = MallOutcomeUnknown("?")


async def three_of_them(tx: Tx) -> Shop:
    """A rise, a zero and a fall."""
    shop = await a_shop(tx)
    await in_stock(tx, shop, MUG=5, TEA=5, POT=5)
    await counted(tx, NOW, MUG=9, TEA=0, POT=3)
    return shop


async def failed(tx: Tx, shop: Shop, times: int, error: MallError = NO_ANSWER) -> datetime:
    """So many calls in a row, an hour apart; the time after the last."""
    at = SOON
    for _ in range(times):
        await fails(tx, await sent(tx, shop, at=at), error, at=at)
        at += HOUR
    return at


async def told(tx: Tx) -> int:
    return len(await rows(tx, "SELECT kind FROM events WHERE kind = 'SHOP'"))


@pytest.mark.parametrize(("times", "calls"), [(2, 3), (3, 1), (4, 1)])
async def test_after_three_calls_one_number_is_tried(
    db: Database, account: UUID, times: int, calls: int
):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
        at = await failed(tx, shop, times)

        tried = await sent(tx, shop, at=at)

    assert len(tried.attempts) == calls
    assert tried.attempts[0].quantity == 0


@pytest.mark.parametrize(("times", "wait"), [(2, None), (3, 15), (4, 30)])
async def test_each_call_that_fails_makes_the_wait_longer(
    db: Database, account: UUID, times: int, wait: int | None
):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
        at = await failed(tx, shop, times)

        paused_until = (await shop_of(tx, shop.id)).paused_until

    assert paused_until == (None if wait is None else at - HOUR + wait * SECOND)


async def test_a_good_answer_closes_it_and_all_go_on(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
        at = await failed(tx, shop, 3)

        await answers(tx, await sent(tx, shop, at=at), at=at)

        found = await row(tx, "SELECT failed_calls, paused_until FROM shops")
        assert found == {"failed_calls": 0, "paused_until": None}
        rest = await claimed(tx, shop, await lease_of(tx, shop), at=at)
        assert rest is not None
        assert len(rest.attempts) == 2


async def test_who_follows_the_shop_is_told_when_it_opens_and_when_it_closes(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
    seen = []
    at = SOON
    for outcome in (NO_ANSWER, NO_ANSWER, NO_ANSWER, None):
        async with db.transaction(account) as tx:
            before = await told(tx)
            batch = await sent(tx, shop, at=at)
            await (fails(tx, batch, outcome, at=at) if outcome else answers(tx, batch, at=at))
        async with db.transaction(account) as tx:
            seen.append(await told(tx) - before)
        at += HOUR

    assert seen == [0, 0, 1, 1]


async def test_a_mall_that_refuses_an_item_is_well(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
        at = await failed(tx, shop, 2)

        await fails(tx, await sent(tx, shop, at=at), MallRefused("?"), at=at)

        assert (await shop_of(tx, shop.id)).failed_calls == 0


async def test_calls_that_fail_together_count_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await three_of_them(tx)
        batch = await sent(tx, shop)
        for nth, attempt in enumerate(batch.attempts):
            one = Batch(shop, batch.epoch, (attempt,))
            error = MallUnavailable("?")
            await settling.settle(tx, one, error, counts=nth == 0, now=SOON)

        assert (await shop_of(tx, shop.id)).failed_calls == 1
