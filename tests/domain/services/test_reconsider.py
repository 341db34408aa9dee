"""What follows for a listing when something changes: what was asked for is sent or answered, nothing waits for ever."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.errors import MallLockedOut, MallOutcomeUnknown, MallUnavailable
from domain.model.malls import PushOutcome
from domain.model.shops import SyncPart
from domain.services import links, listings, reflect_jobs, shops, stock, switches
from domain.services.stock import NewTotal
from domain.store import sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row
from tests.domain.services.story import (
    a_shop,
    an_order,
    in_stock,
    product_ids,
    shown,
    take,
)
from tests.domain.services.turns import SOON, answers, claimed, fails, lease_of, numbers, sent


async def tea_at(tx: Tx, total: int = 5) -> Shop:
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=total)
    return shop


async def asked(tx: Tx, shop: Shop) -> UUID:
    listing_ids = await sync.listings_of_shops(tx, [shop.id])
    return await reflect_jobs.ask(tx, OWNER, listing_ids, now=NOW)


async def sets_tea(tx: Tx, total: int, *, reflect: bool | None = True) -> None:
    tea = (await product_ids(tx))["TEA"]
    await stock.set_totals(tx, OWNER, [NewTotal(tea, total)], reflect=reflect, now=SOON)


async def job(tx: Tx, job_id: UUID) -> tuple[str, int, int, str | None]:
    """State, how many are done, how many failed, and the outcome of its one listing."""
    found = await row(
        tx,
        """
        SELECT j.state, j.done, j.failed, l.outcome FROM jobs j JOIN job_listings l ON l.job_id = j.id
        WHERE j.id = :job
        """,
        job=job_id,
    )
    return found["state"], found["done"], found["failed"], found["outcome"]


async def test_what_was_asked_for_is_sent_though_an_order_leaves_nothing_to_mend(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        job_id = await asked(tx, shop)
        await take(tx, shop, an_order("1", ("tea", 2)))

        batch = await sent(tx, shop)
        await answers(tx, batch)

        assert numbers(batch) == [3]
        assert await job(tx, job_id) == ("DONE", 1, 0, "APPLIED")


async def _unlinks(tx: Tx, shop: Shop) -> None:
    await links.unlink(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=SOON)


async def _deletes(tx: Tx, shop: Shop) -> None:
    ids = await sync.listings_of_shops(tx, [shop.id])
    await listings.delete_listings(tx, OWNER, ids, now=SOON)


async def _stops(tx: Tx, shop: Shop) -> None:
    await switches.stop_sync(tx, OWNER, [shop.id], [SyncPart.REFLECT], now=SOON)


async def _halts(tx: Tx, shop: Shop) -> None:
    await shops.halt(tx, shop, MallLockedOut("The key has expired."), now=SOON)


@pytest.mark.parametrize("held", [_unlinks, _deletes, _stops, _halts])
async def test_a_job_ends_when_its_listing_may_not_be_sent_any_more(
    db: Database, account: UUID, held: Callable[[Tx, Shop], Awaitable[None]]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        job_id = await asked(tx, shop)

        await held(tx, shop)

        assert await job(tx, job_id) == ("DONE", 1, 0, "HELD")


@pytest.mark.parametrize("held", [_unlinks, _deletes, _stops])
async def test_a_job_ends_with_the_push_that_was_under_way(
    db: Database, account: UUID, held: Callable[[Tx, Shop], Awaitable[None]]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        job_id = await asked(tx, shop)
        batch = await sent(tx, shop)

        await held(tx, shop)
        await fails(tx, batch, MallUnavailable("Closed."))

        assert await job(tx, job_id) == ("DONE", 1, 0, "HELD")
        assert not (await shown(tx, shop, "tea")).waits


async def test_reflecting_a_refused_item_does_not_wait_for_its_backoff(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await sets_tea(tx, 4)
        await answers(tx, await sent(tx, shop), PushOutcome.REFUSED, code="E1")
        epoch = await lease_of(tx, shop)
        assert await claimed(tx, shop, epoch, at=SOON + timedelta(seconds=1)) is None

        await asked(tx, shop)

        assert numbers(await claimed(tx, shop, epoch, at=SOON + timedelta(seconds=1))) == [4]


async def test_a_number_above_zero_never_goes_out_in_the_lane_of_zeros(db: Database, account: UUID):
    """A zero that failed, and an edit that waits: what goes out next is no zero, and waits for fresh orders."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await sets_tea(tx, 0)
        batch = await sent(tx, shop)
        await sets_tea(tx, 7, reflect=None)

        await fails(tx, batch, MallUnavailable("Closed."))

        found = await row(tx, "SELECT lane, expected FROM listing_sync")
        assert (found["lane"], found["expected"]) == (2, 7)


async def test_a_change_does_not_shorten_the_wait_after_answers_that_never_come(
    db: Database, account: UUID
):
    """A mall that is silent for the fourth time is asked no sooner because something sells elsewhere."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await sets_tea(tx, 4)
        epoch, later = await lease_of(tx, shop), SOON
        for _ in range(8):
            batch = await claimed(tx, shop, epoch, at=later)
            assert batch is not None
            await fails(tx, batch, MallOutcomeUnknown("?"), at=later)
            wait = (await row(tx, "SELECT next_try_at FROM listing_sync"))["next_try_at"]
            later = max(wait, later + timedelta(minutes=6))

        await take(tx, shop, an_order("1", ("tea", 1)))

        found = await row(tx, "SELECT next_try_at, expected FROM listing_sync")
        assert (found["next_try_at"], found["expected"]) == (wait, 3)
