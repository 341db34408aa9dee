"""The comparison of oversold units, in short: a morning of real orders, and scenes made for one point each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.oversell.arms import Outcome, Terms, run_peer, run_renkei
from benchmarks.oversell.limits import Buckets
from benchmarks.oversell.malls import Written
from benchmarks.oversell.scene import Scene, Wish, scene
from benchmarks.oversell.score import Delays, Score, score
from benchmarks.oversell.shoppers import Sale
from benchmarks.oversell.virtual import in_virtual_time
from domain.model.errors import MallThrottled
from domain.model.malls import Bucket
from renkei.engines.postgres import APP, Postgres
from tests.databases import scratch

START = datetime(2026, 11, 22, tzinfo=UTC)
NOON = 12 * 3600.0


async def renkei(database: Postgres, played: Scene, terms: Terms) -> Outcome:
    async with scratch(database) as own:
        return await asyncio.to_thread(run_renkei, played, terms, own.url(user=APP))


async def test_a_morning_of_real_orders_comes_out_right_and_no_worse_than_by_peers(
    database: Postgres,
):
    played = scene(days=14, products=30, seed=6, orders=30)
    terms = Terms(limits=True)

    ours = await renkei(database, played, terms)
    theirs = await asyncio.to_thread(run_peer, played, terms)

    assert (ours.findings, theirs.findings) == ((), ())
    assert 0 < ours.score.orders == theirs.score.orders
    assert ours.score.beyond < theirs.score.beyond
    assert ours.score.too_soon == ours.score.beyond


RUSH = Scene(
    held={"TEA": 6, "MUG": 3},
    wishes=(
        Wish(100.0, "rakuten-1", "1", {"TEA": 2, "MUG": 1}),
        Wish(130.0, "yahoo-1", "2", {"TEA": 3}),
        Wish(135.0, "amazon", "3", {"TEA": 3, "MUG": 2}),
        Wish(500.0, "rakuten-2", "4", {"MUG": 3}),
    ),
    begins=NOON,
)
"""Six of TEA, of which three malls sell eight within a minute; MUG is sold out when the last shopper comes."""


async def test_the_same_seed_comes_to_the_same_end_whether_idle_polls_are_made_or_not(
    database: Postgres,
):
    terms = Terms(limits=True)

    first = await renkei(database, RUSH, terms)
    again = await renkei(database, RUSH, terms)
    every = await renkei(database, RUSH, replace(terms, every_poll=True))

    assert first == again
    assert first.findings == ()
    assert (first.score.beyond, first.score.too_soon) == (2, 2)
    assert first.score.turned_away == 3
    assert every.score == first.score
    assert every.calls > first.calls


async def test_limits_that_are_lifted_are_not_kept(database: Postgres):
    outcome = await renkei(database, RUSH, Terms(limits=False))

    assert outcome.findings == ()
    assert outcome.score.beyond == 2


def test_virtual_time_leaps_to_the_next_waker():
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, asyncio.get_running_loop().time()))

    async def a_week() -> None:
        await asyncio.gather(sleeper("late", 604_800), sleeper("soon", 1), sleeper("sooner", 0.5))

    in_virtual_time(lambda _: a_week())

    assert woken == [("sooner", 0.5), ("soon", 1.0), ("late", 604_800.0)]


TEN_A_MINUTE = Bucket("b", rate=1 / 6, burst=2)
ONE_A_DAY = Bucket("d", rate=10, burst=10, per_day=1)


@pytest.mark.parametrize(
    ("case", "bucket", "at", "waits"),
    [
        ("the burst at once", TEN_A_MINUTE, [0, 0], [0, 0]),
        ("then its turn", TEN_A_MINUTE, [0, 0, 0], [0, 0, 6]),
        ("too long to wait for", TEN_A_MINUTE, [0, 0, 0, 0], [0, 0, 6, None]),
        ("filled again by time", TEN_A_MINUTE, [0, 0, 12, 12], [0, 0, 0, 0]),
        ("the day is used up", ONE_A_DAY, [0, 60], [0, None]),
        ("and the next begins", ONE_A_DAY, [0, 86_400], [0, 0]),
    ],
)
def test_limits_in_virtual_time(
    case: str, bucket: Bucket, at: Sequence[int], waits: Sequence[float | None]
):
    now = START
    buckets = Buckets(lambda: now)
    seen: list[float | None] = []
    for seconds in at:
        now = START + timedelta(seconds=seconds)
        try:
            seen.append(round(buckets.reserve("mine", bucket).total_seconds(), 3))
        except MallThrottled:
            seen.append(None)
    assert seen == list(waits), case


HELD = Scene({"TEA": 10}, (Wish(0, "amazon", "1", {"TEA": 1}),), 0.0)
DELAYS = Delays({"rakuten-1": 60, "yahoo-1": 60}, {"rakuten-1": 0, "yahoo-1": 30})


@pytest.mark.parametrize(
    ("case", "sales", "beyond", "incidents", "too_soon"),
    [
        ("all there is", [(0, "rakuten-1", 6), (9, "yahoo-1", 4)], 0, 0, 0),
        ("too soon to be known", [(0, "rakuten-1", 6), (60, "yahoo-1", 6)], 2, 1, 2),
        ("not yet taken over", [(0, "rakuten-1", 6), (89, "yahoo-1", 6)], 2, 1, 2),
        ("known by then", [(0, "rakuten-1", 6), (90, "yahoo-1", 6)], 2, 1, 0),
        (
            "known in part",
            [(0, "rakuten-1", 5), (85, "rakuten-1", 3), (100, "yahoo-1", 8)],
            6,
            1,
            3,
        ),
        (
            "twice too many",
            [(0, "rakuten-1", 10), (10, "yahoo-1", 2), (20, "yahoo-1", 1)],
            3,
            2,
            3,
        ),
    ],
)
def test_units_beyond_what_was_held(
    case: str,
    sales: Sequence[tuple[float, str, int]],
    beyond: int,
    incidents: int,
    too_soon: int,
):
    told = scored([Sale(at, shop, {"TEA": units}) for at, shop, units in sales])
    assert (told.beyond, told.incidents, told.too_soon) == (beyond, incidents, too_soon), case


def test_how_long_counters_stood_above_what_was_left():
    sales = [Sale(100, "rakuten-1", {"TEA": 4}), Sale(200, "rakuten-1", {"TEA": 6})]
    told = scored(
        sales,
        {"yahoo-1": [(130, 6), (260, 0)], "yahoo-2": [(140, 6), (210, 0)], "amazon": [(205, 0)]},
    )
    assert told.exposed == timedelta(seconds=105)
    assert told.offered == timedelta(seconds=60 + 10 + 5 + 60)


def scored(
    sales: Sequence[Sale], writes: Mapping[str, Sequence[tuple[float, int]]] | None = None
) -> Score:
    written = [
        Written(START + timedelta(seconds=at), shop, "TEA", number)
        for shop, numbers in (writes or {}).items()
        for at, number in numbers
    ]
    return score(HELD, sales, written, start=START, turned_away=0, delays=DELAYS)
