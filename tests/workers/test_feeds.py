"""Numbers in bulk, end to end: a full sync as one feed, what overtakes it, and feeds that do not end as they should."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import disconnecting, full_syncs, stock
from domain.store.database import Database, Tx
from tests.workers.town import (
    Stall,
    Town,
    all_errors,
    at_work,
    eventually,
    now,
    open_errors,
    product_ids,
    ref_at,
    town,
)
from workers.bulk import do_targets

AMAZON = MallKind.AMAZON
CODES = [f"S{n:04}" for n in range(1_000)]
MANY = dict.fromkeys(CODES, 10)
A_THOUSAND_CALLS = 180.0
"""Seconds, on a busy machine."""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A thousand products with ten units each, at Amazon; everything on, and nobody at work."""
    async with town(db, malls, AMAZON) as made:
        await made.has(**MANY)
        await made.starts()
        yield made


@pytest.fixture
async def slow(db: Database, malls: str) -> AsyncIterator[Town]:
    """The same, at a mall that gives a feed half a minute before it is given up."""
    async with town(db, malls, AMAZON, speed="120") as made:
        await made.has(**MANY)
        await made.starts()
        yield made


def amazon(here: Town) -> Stall:
    return here.stalls[AMAZON]


async def full_sync(here: Town) -> UUID:
    """Every listing wants to be sent; nothing is yet."""

    async def start(tx: Tx) -> UUID:
        return await full_syncs.start(tx, SYSTEM, [amazon(here).id], now=now())

    job_id = await here.db.run(here.account_id, start)
    await do_targets(here.ctx, here.account_id, job_id)
    return job_id


async def edited(here: Town, **totals: int) -> None:
    """Totals that go out by themselves."""

    async def edit(tx: Tx) -> None:
        ids = await product_ids(tx, list(totals))
        items = [stock.NewTotal(ids[code], total) for code, total in totals.items()]
        await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

    await here.db.run(here.account_id, edit)


async def feeds(here: Town) -> list[tuple[str, int, int]]:
    rows = await here.query("SELECT state, items AS carries, refused FROM feeds ORDER BY sent_at")
    return [(row.state, row.carries, row.refused) for row in rows]


async def feed_is(here: Town, state: str) -> None:
    async def so() -> bool:
        return bool(await here.scalar("SELECT true FROM feeds WHERE state = :state", state=state))

    await eventually(so, because=f"the feed is {state}")


async def job(here: Town, job_id: UUID) -> tuple[str, int, int]:
    [row] = await here.query("SELECT state, done, failed FROM jobs WHERE id = :job", job=job_id)
    return row.state, row.done, row.failed


async def is_over(here: Town, job_id: UUID) -> None:
    async def so() -> bool:
        return (await job(here, job_id))[0] == "DONE"

    await eventually(so, within=A_THOUSAND_CALLS)


async def shown(here: Town) -> dict[str, int]:
    """What Amazon's own counters read."""
    items = (await amazon(here).asks("GET", "state"))["items"]
    return {item["item_code"]: item["quantity"] for item in items}


async def changed_at_mall(here: Town, **quantities: int) -> None:
    for code, quantity in quantities.items():
        await amazon(here).asks("POST", "stock", item_code=code, quantity=quantity)


async def calls(here: Town) -> dict[str, int]:
    told: dict[str, Any] = await amazon(here).asks("GET", "state")
    return dict(told["requests"])


async def all_right(here: Town, **others: int) -> None:
    """Amazon shows ten of each but `others`, and nothing is left to do."""

    async def so() -> bool:
        return await shown(here) == MANY | others and not await here.unsettled()

    try:
        await eventually(so, within=A_THOUSAND_CALLS)
    except TimeoutError:
        seen = await shown(here)
        wrong = {code: seen[code] for code in CODES if seen[code] != (MANY | others)[code]}
        raise AssertionError(f"{wrong}, rows {(await here.unsettled())[:5]}") from None


async def test_a_full_sync_is_one_feed(here: Town) -> None:
    await changed_at_mall(here, S0001=3, S0999=77)
    job_id = await full_sync(here)

    async with at_work(here.ctx):
        await is_over(here, job_id)
        await feed_is(here, "DONE")
        await all_right(here)

    assert await feeds(here) == [("DONE", 1_000, 0)]
    assert await job(here, job_id) == ("DONE", 1_000, 0)
    asked = await calls(here)
    assert asked["createFeed"] == 1
    assert "patchListingsItem" not in asked
    assert await here.query("SELECT kind, outcome, sent FROM sync_runs WHERE kind = 'FEED'") == [
        ("FEED", "OK", 1_000)
    ]
    assert (
        await here.scalar("SELECT count(*) FROM mall_update_logs WHERE state = 'APPLIED'") == 1_000
    )
    assert await here.scalar("SELECT count(*) FROM sync_errors") == 0


async def test_what_happens_while_a_feed_is_under_way(slow: Town) -> None:
    """A zero is there at once, and again after the feed's older number; a sale that the feed put back is taken off; what
    else was changed goes out when it has ended."""
    here, zero, sold = slow, CODES[0], CODES[1]
    await amazon(here).goes_wrong("stuck")
    await full_sync(here)

    async with at_work(here.ctx):
        await feed_is(here, "ACCEPTED")
        await amazon(here).sells(ref_at(AMAZON, sold), 2)
        await edited(here, **{zero: 0, "S0002": 4, "S0003": 40})
        await eventually(lambda: _shows(here, zero, 0))
        await eventually(lambda: _total_is(here, sold, 8))
        await eventually(lambda: _looked(here, 2))
        assert (await calls(here))["patchListingsItem"] == 1
        assert await feeds(here) == [("ACCEPTED", 1_000, 0)]

        await amazon(here).goes_right()
        await feed_is(here, "DONE")
        await all_right(here, **{zero: 0, sold: 8, "S0002": 4, "S0003": 40})

    assert (await calls(here))["patchListingsItem"] <= 1 + 2 * 4


async def test_a_feed_that_never_ends_is_given_up_and_sent_one_by_one(here: Town) -> None:
    await amazon(here).goes_wrong("stuck")
    job_id = await full_sync(here)

    async with at_work(here.ctx):
        await feed_is(here, "LOST")
        await eventually(lambda: _patched(here, 20))

    assert await feeds(here) == [("LOST", 1_000, 0)]
    assert await all_errors(here) == [(8, "FEED_FAILED", "OPEN")]
    assert await here.scalar("SELECT count FROM sync_errors") == 1_000
    assert (await job(here, job_id))[0] == "RUNNING"


async def test_a_feed_that_is_broken_off_leaves_nothing_half_done(here: Town) -> None:
    await changed_at_mall(here, S0001=3, S0999=3)
    await amazon(here).goes_wrong("fatal")
    job_id = await full_sync(here)

    async with at_work(here.ctx):
        await is_over(here, job_id)
        await all_right(here)

    assert await feeds(here) == [("FAILED", 1_000, 0)]
    [row] = await here.query("SELECT state, mall_code FROM sync_errors WHERE kind = 'FEED_FAILED'")
    assert (row.state, row.mall_code) == ("RESOLVED", "4000000")


async def test_a_feed_that_the_mall_does_not_take_goes_out_one_by_one(here: Town) -> None:
    await changed_at_mall(here, S0001=3)
    await amazon(here).goes_wrong("spurious", on=["createFeed"], code="503", calls=1)
    job_id = await full_sync(here)

    async with at_work(here.ctx):
        await is_over(here, job_id)
        await all_right(here)

    assert ("FAILED", 1_000, 0) in await feeds(here)


async def test_what_a_worker_left_behind_while_it_handed_over_is_sent_again(here: Town) -> None:
    await amazon(here).goes_wrong("slow", on=["createFeed"], seconds=30, calls=1)
    job_id = await full_sync(here)
    async with at_work(here.ctx):
        await eventually(lambda: _asked(here, "createFeed"))
    assert await feeds(here) == [("SENT", 1_000, 0)]
    await here.query(
        "UPDATE feeds SET look_at = look_at - cast(:held AS interval) RETURNING id",
        held=timedelta(minutes=2),
    )

    async with at_work(here.ctx):
        await feed_is(here, "LOST")
        await eventually(lambda: _patched(here, 20))

    assert await feeds(here) == [("LOST", 1_000, 0)]
    assert await all_errors(here) == [(8, "FEED_FAILED", "OPEN")]
    assert (await job(here, job_id))[0] == "RUNNING"


async def test_a_shop_that_is_given_up_leaves_no_feed_behind(slow: Town) -> None:
    here = slow
    await amazon(here).goes_wrong("stuck")
    await full_sync(here)
    async with at_work(here.ctx):
        await feed_is(here, "ACCEPTED")
        shop_id = amazon(here).id

        await here.db.run(
            here.account_id,
            lambda tx: disconnecting.disconnect(
                tx, SYSTEM, shop_id, delete_listings=False, now=now()
            ),
        )

        await feed_is(here, "LOST")
    assert await here.scalar("SELECT count(*) FROM listing_sync WHERE feed_id IS NOT NULL") == 0
    assert await open_errors(here) == []


async def _shows(here: Town, code: str, quantity: int) -> bool:
    return (await shown(here))[code] == quantity


async def _total_is(here: Town, code: str, total: int) -> bool:
    return await here.total(code) == total


async def _looked(here: Town, times: int) -> bool:
    return bool(await here.scalar("SELECT looks >= :times FROM feeds", times=times))


async def _asked(here: Town, call: str) -> bool:
    return call in await calls(here)


async def _patched(here: Town, times: int) -> bool:
    return (await calls(here)).get("patchListingsItem", 0) >= times
