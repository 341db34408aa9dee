"""A feed whose calls do not go well: one turn at a time, at a mall that misbehaves."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.model.actors import SYSTEM
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.services import feeds, full_syncs
from domain.store import feeds as feed_store
from domain.store.database import Database, Tx
from tests.workers.cutting import MOST_PAUSES, is_cut_off
from tests.workers.town import Town, now, open_errors, shop_of, town
from workers.feeds import tend_feed
from workers.import_orders import fetch_orders

AMAZON = MallKind.AMAZON
LONG_AGO = now() - timedelta(days=1)
OVER = "UPDATE feeds SET state = 'LOST', ended_at = :at, look_at = NULL RETURNING 1"
WAITING = "UPDATE listing_sync SET done = wanted - 1, feed_id = NULL, push_id = NULL, failures = 0 RETURNING 1"


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Two numbers that wait for a full sync, and a feed that is open for them."""
    async with town(db, malls, AMAZON) as made:
        await made.has(MUG=10, TEA=10)
        await made.starts()
        await fetch_orders(made.ctx, made.account_id, made.stalls[AMAZON].id)
        await made.db.run(made.account_id, lambda tx: _open(made, tx))
        yield made


async def _open(here: Town, tx: Tx) -> None:
    await full_syncs.start(tx, SYSTEM, [here.stalls[AMAZON].id], now=now())
    await _opened(here, tx)


async def _opened(here: Town, tx: Tx) -> None:
    shop_id, limits = here.stalls[AMAZON].id, MALL_SPECS[AMAZON].capabilities.feed
    assert limits is not None
    shop = await shop_of(tx, shop_id)
    may_go = feeds.may_go(shop, limits, now())
    opened, _ = await feed_store.gathers(tx, shop_id, may_go, least=2, rested=feeds.REST)
    assert opened


async def turn(here: Town) -> None:
    """Whoever comes by next looks after it, as if its time had come."""
    await here.query("UPDATE feeds SET look_at = '-infinity' WHERE ended_at IS NULL RETURNING 1")
    await tend_feed(here.ctx, here.account_id, here.stalls[AMAZON].id)


async def state(here: Town) -> tuple[str, int, list[tuple[int, bool, str]]]:
    """The feed's state and looks; and of each listing: how many like it, does it wait, how its number went."""
    [feed] = await here.query("SELECT state, looks FROM feeds")
    listings = await here.query(
        "SELECT count(*) AS n, wanted > done AS waits, push_state FROM listing_sync GROUP BY 2, 3"
    )
    return feed.state, feed.looks, [(each.n, each.waits, each.push_state) for each in listings]


CARRIED = [(2, False, "ACCEPTED")]
ONE_BY_ONE = [(2, True, "SUPERSEDED")]


@pytest.mark.parametrize(
    ("case", "fault", "told"),
    [
        ("it answers", {}, ("ACCEPTED", 0, CARRIED)),
        ("it is cut off after it has taken it", {"kind": "cut", "on": ["createFeed"]}, ("LOST", 0, ONE_BY_ONE)),
        ("half an answer", {"kind": "malformed", "on": ["createFeed"]}, ("LOST", 0, ONE_BY_ONE)),
        ("a fault of its own", {"kind": "spurious", "code": "500", "on": ["createFeed"]}, ("LOST", 0, ONE_BY_ONE)),
        ("closed", {"kind": "maintenance", "on": ["createFeedDocument"]}, ("FAILED", 0, [(2, True, "SUPERSEDED")])),
        ("too many feeds", {"kind": "throttle", "on": ["createFeed"]}, ("FAILED", 0, [(2, True, "SUPERSEDED")])),
    ],
)  # fmt: skip
async def test_how_a_feed_is_taken(
    here: Town, case: str, fault: Mapping[str, Any], told: tuple[str, int, list[Any]]
) -> None:
    if fault:
        await here.stalls[AMAZON].goes_wrong(**fault)

    await turn(here)

    assert await state(here) == told, case
    lost = told[0] == "LOST"
    assert await open_errors(here) == ([(8, "FEED_FAILED")] if lost else [])


@pytest.mark.parametrize(
    ("case", "fault", "told"),
    [
        ("it is done", {}, ("DONE", 0, [(2, False, "APPLIED")])),
        ("closed", {"kind": "maintenance", "on": ["getFeed"]}, ("ACCEPTED", 1, CARRIED)),
        ("too many looks", {"kind": "throttle", "on": ["getFeed"]}, ("ACCEPTED", 1, CARRIED)),
        ("no report yet", {"kind": "maintenance", "on": ["getFeedDocument"]}, ("ACCEPTED", 1, CARRIED)),
        ("a report that cannot be read", {"kind": "malformed", "on": ["getFeedDocument"]}, ("LOST", 0, ONE_BY_ONE)),
    ],
)  # fmt: skip
async def test_what_a_look_at_it_brings(
    here: Town, case: str, fault: Mapping[str, Any], told: tuple[str, int, list[Any]]
) -> None:
    await turn(here)
    if fault:
        await here.stalls[AMAZON].goes_wrong(**fault)

    await turn(here)

    assert await state(here) == told, case


async def test_a_feed_that_the_mall_has_never_heard_of_is_lost(here: Town) -> None:
    await turn(here)
    await here.query("UPDATE feeds SET name = 'another' RETURNING 1")

    await turn(here)

    assert await state(here) == ("LOST", 0, ONE_BY_ONE)


async def test_a_report_of_fewer_items_than_were_sent_says_nothing_of_any(here: Town) -> None:
    await turn(here)
    await here.query("UPDATE feeds SET items = 3 RETURNING 1")

    await turn(here)

    assert await state(here) == ("FAILED", 0, ONE_BY_ONE)


async def test_credentials_that_are_dead_halt_the_shop_and_keep_the_feed(here: Town) -> None:
    await turn(here)
    await here.stalls[AMAZON].goes_wrong("expired", on=["getFeed"])

    await turn(here)
    await turn(here)

    assert [row.state for row in await here.query("SELECT state FROM shops")] == ["HALTED"]
    assert await state(here) == ("ACCEPTED", 1, CARRIED)
    assert await open_errors(here) == [(9, "CONSENT_NEEDED")]


@pytest.mark.parametrize(
    ("case", "fault", "before", "after"),
    [
        ("it answers", {}, 2, 0),
        ("it answers as ever", {}, 0, 0),
        ("closed", {"kind": "maintenance", "on": ["createFeedDocument"]}, 1, 2),
        ("cut off", {"kind": "cut", "on": ["createFeed"]}, 0, 1),
    ],
)
async def test_a_call_for_a_feed_says_how_the_mall_is_as_any_other_does(
    here: Town, case: str, fault: Mapping[str, Any], before: int, after: int
) -> None:
    await here.query("UPDATE shops SET failed_calls = :n RETURNING 1", n=before)
    if fault:
        await here.stalls[AMAZON].goes_wrong(**fault)

    await turn(here)

    assert await here.scalar("SELECT failed_calls FROM shops") == after, case


@pytest.mark.parametrize("late", [False, True])
async def test_a_feed_whose_worker_was_cut_off_is_anybodys(here: Town, late: bool) -> None:
    """What was put together and perhaps handed over is given up; the numbers wait, and another feed is opened for them."""
    shop_id = here.stalls[AMAZON].id
    for nth in range(1, MOST_PAUSES):
        await here.query(OVER, at=LONG_AGO)
        await here.query(WAITING)
        await here.db.run(here.account_id, lambda tx: _opened(here, tx))
        if not await is_cut_off(tend_feed(here.ctx, here.account_id, shop_id), nth, late):
            assert nth > 10
            return
        waits = "SELECT count(*) FROM feeds WHERE look_at > clock_timestamp()"
        assert await here.scalar(waits) == 0, f"after the {nth}th pause"
    raise AssertionError("The work has no end.")
