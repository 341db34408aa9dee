"""Is the mall's limit the only brake, and does a day's work fit into a day's calls?

    .venv/bin/python -m benchmarks.limits

* Burst: many numbers wait at one shop, and the malls keep the limits of their sheets at their real speed. The mall's own
  book says when each call wrote. At least 90 % of the calls that the limit allows must go out, and none may be refused.
* Day: the busiest day of the example shop's stream, all of it at one shop, call by call in the order of the day: lists
  and details of orders, open orders read again, a call of numbers for each order, each of which also drops to zero
  somewhere, read-backs, and a full sync of the catalogue at night. The calls draw from the real throttle
  (workers/throttle.py over domain/store/rates.py in PostgreSQL), whose rate is raised to let the day pass in seconds
  while the day's own limit stands: it decides which call still fits.

Exit code 1 when a mall is below 90 %, or refuses, or a day's calls run out.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

import structlog

from benchmarks.bulk import GIVEN_UP_SECONDS, Waiting, fill, one_product, until_accepted
from benchmarks.market import Market, market
from benchmarks.saying import say
from benchmarks.stand import Stand, stand
from domain.model.errors import MallThrottled
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import Bucket, CancelSupport, MallKind
from domain.model.reflect import Lane
from domain.model.shops import ShopState
from domain.store import shops as shop_rows
from domain.store.database import Database
from integrations.malls.amazon.limits import GET_LISTING, GET_ORDER, PATCH_LISTING, SEARCH_ORDERS
from integrations.malls.rakuten import connector as rakuten
from integrations.malls.yahoo_shopping import connector as yahoo
from renkei.demo.baskets import EXAMPLE_DATA
from renkei.demo.books import BY_HAND
from renkei.demo.replay import basket
from renkei.example_shop.orders import RetailOrder, busiest, read_orders
from renkei.example_shop.rows import ORDERS_FILE, read_rows
from workers.throttle import StoredThrottle, urgent

LEAST_SHARE = 0.9
BURST_SECONDS = 10
APART = timedelta(seconds=0.15)
DAY_SECONDS = 24 * 3600
NIGHT = 3 * 3600
CATALOGUE = 3_000
FAST = 5_000.0


@dataclass(frozen=True, slots=True)
class Way:
    """What one mall's calls draw from. `lists_a_look`: calls that one look at the order list takes.
    `details_each`: calls that one order's details take; `details_together`: many orders in one call.
    `of_day`: what every call draws from as well."""

    bucket: Bucket
    reads: Bucket
    lists: Bucket
    lists_a_look: int
    details: Bucket
    details_each: int
    details_together: bool = False
    of_day: tuple[Bucket, ...] = ()


WRITING: Mapping[MallKind, Way] = {
    MallKind.RAKUTEN: Way(
        rakuten.STOCK_WRITE,
        rakuten.STOCK_READ,
        rakuten.ORDERS,
        1,
        rakuten.ORDERS,
        1,
        details_together=True,
    ),
    MallKind.YAHOO_SHOPPING: Way(
        yahoo.BUCKETS["setStock"],
        yahoo.BUCKETS["getStock"],
        yahoo.BUCKETS["orderList"],
        2,
        yahoo.BUCKETS["orderInfo"],
        1,
        of_day=(yahoo.DAY,),
    ),
    MallKind.AMAZON: Way(PATCH_LISTING, GET_LISTING, SEARCH_ORDERS, 1, GET_ORDER, 0),
}


@dataclass(frozen=True, slots=True)
class Burst:
    """`before`: calls that the mall lets through at once, before its limit a second begins to count."""

    kind: MallKind
    allowed: float
    before: int
    calls: int
    seconds: float
    numbers: int
    refused: int

    @property
    def rate(self) -> float:
        return (self.calls - 1) / self.seconds if self.seconds else 0.0

    @property
    def share(self) -> float:
        return self.rate / self.allowed

    @property
    def is_good(self) -> bool:
        return self.share >= LEAST_SHARE and not self.refused


async def burst(here: Stand, kind: MallKind) -> Burst:
    spec, limit = MALL_SPECS[kind].capabilities, WRITING[kind].bucket
    numbers = int(BURST_SECONDS * limit.rate + limit.burst) * spec.max_pushes_per_call
    async with market(here, [kind], one_product(), speed=1, polls={kind: 60}) as there:
        await until_quiet(there)
        await fill(here, there, Waiting(numbers, shown=50, expected=40, lane=Lane.DECREASE))
        await until_accepted(there, numbers)
        state = await there.shops[0].stall.state()
    writes = [each for each in state["writes"] if each["source"] != BY_HAND]
    times = call_times(writes, spec.max_pushes_per_call)
    counted = times[limit.burst - 1 :] if limit.burst > 1 else times
    seconds = (counted[-1] - counted[0]).total_seconds()
    refused = state["requests"][WRITES_OF[kind]] - len(times)
    before = len(times) - len(counted)
    return Burst(kind, limit.rate, before, len(counted), seconds, len(writes), refused)


WRITES_OF: Mapping[MallKind, str] = {
    MallKind.RAKUTEN: "inventories.bulk-upsert",
    MallKind.YAHOO_SHOPPING: "setStock",
    MallKind.AMAZON: "patchListingsItem",
}


async def until_quiet(there: Market) -> None:
    """The shop has begun to work, and its orders are known."""
    async with asyncio.timeout(GIVEN_UP_SECONDS):
        while True:
            async with there.db.transaction(there.account_id) as tx:
                shop = await shop_rows.get(tx, there.shops[0].id)
            if shop is not None and shop.state == ShopState.RUNNING and shop.orders_seen_at:
                return
            await asyncio.sleep(0.2)


def call_times(writes: Sequence[Mapping[str, str]], numbers_a_call: int) -> list[datetime]:
    """When each call wrote: the numbers of one are some milliseconds apart."""
    times = sorted(datetime.fromisoformat(write["at"]) for write in writes)
    if numbers_a_call == 1:
        return times
    return times[:1] + [later for earlier, later in pairwise(times) if later - earlier > APART]


@dataclass(frozen=True, slots=True)
class Call:
    """At a second of the day. `kept`: it may use what is kept of the day for orders and zeros."""

    at: float
    what: str
    bucket: Bucket
    kept: bool


@dataclass(frozen=True, slots=True)
class Day:
    kind: MallKind
    orders: int
    made: Counter[str]
    refused: Counter[str]
    budget: int | None


def the_day(kind: MallKind, orders: Sequence[RetailOrder]) -> list[Call]:
    """Every call that the day needs, in its order."""
    way, spec = WRITING[kind], MALL_SPECS[kind].capabilities
    times = [(order, _second(order.placed_at)) for order in orders if order.cancels is None]
    calls = [
        Call(at, "order lists", way.lists, True)
        for at in range(0, DAY_SECONDS, int(spec.order_poll.total_seconds()))
        for _ in range(way.lists_a_look)
    ]
    calls += [
        Call(at, "order details", way.details, True)
        for _, at in times
        for _ in range(way.details_each)
    ]
    calls += _rereads(kind)
    for order, at in times:
        needed = ceil(len(basket(order)) / spec.max_pushes_per_call)
        calls += [Call(at, "numbers", way.bucket, False)] * needed
        calls += [Call(at, "zeros", way.bucket, True), Call(at, "read-backs", way.reads, False)]
    night = ceil(CATALOGUE / spec.max_pushes_per_call)
    calls += [Call(NIGHT + nth, "full sync", way.bucket, False) for nth in range(night)]
    return sorted(calls, key=lambda call: call.at)


def _rereads(kind: MallKind) -> list[Call]:
    way = WRITING[kind]
    if MALL_SPECS[kind].capabilities.cancels is not CancelSupport.SEEN_ON_REREAD:
        return []
    return [
        Call(at, "open orders again", way.details, True)
        for minute in range(0, DAY_SECONDS, 60)
        for at in range(minute, minute + 60, 60 // _rereads_a_minute(kind))
    ]


def _rereads_a_minute(kind: MallKind) -> int:
    """Calls: as many as there may be, however many orders are open."""
    pace = MALL_SPECS[kind].capabilities.rereads
    return pace.a_minute // pace.at_once if WRITING[kind].details_together else pace.a_minute


def _second(at: datetime) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


async def lived(db: Database, kind: MallKind, orders: Sequence[RetailOrder]) -> Day:
    throttle = StoredThrottle(db, f"day-{kind.value}", f"app-{kind.value}")
    made, refused = Counter[str](), Counter[str]()
    of_day = tuple(replace(each, rate=FAST, burst=int(FAST)) for each in WRITING[kind].of_day)
    for call in the_day(kind, orders):
        fast = replace(call.bucket, rate=FAST, burst=int(FAST))
        try:
            with urgent(call.kept):
                await throttle.take(fast, *of_day)
            made[call.what] += 1
        except MallThrottled:
            refused[call.what] += 1
    budget = next((each.per_day for each in WRITING[kind].of_day), None)
    return Day(kind, len(orders), made, refused, budget)


def show_bursts(found: Sequence[Burst]) -> None:
    say(f"{'burst':<16}{'limit/s':>9}{'calls/s':>9}{'share':>8}{'numbers/s':>11}{'refused':>9}")
    for each in found:
        numbers = each.numbers / (each.calls + each.before) * each.rate
        say(
            f"{each.kind.value:<16}{each.allowed:>9.2f}{each.rate:>9.2f}{each.share:>8.0%}"
            f"{numbers:>11.0f}{each.refused:>9}"
        )


def show_days(found: Sequence[Day]) -> None:
    kinds = sorted({what for day in found for what in (*day.made, *day.refused)})
    say(f"{'day':<20}" + "".join(f"{day.kind.value:>16}" for day in found))
    for what in kinds:
        say(f"{what:<20}" + "".join(f"{day.made[what]:>16,}" for day in found))
    say(f"{'all':<20}" + "".join(f"{day.made.total():>16,}" for day in found))
    budgets = (f"{day.budget:,}" if day.budget else "none" for day in found)
    say(f"{'limit of a day':<20}" + "".join(f"{budget:>16}" for budget in budgets))
    say(f"{'refused':<20}" + "".join(f"{day.refused.total():>16,}" for day in found))


async def bursts(here: Stand) -> list[Burst]:
    return [await burst(here, kind) for kind in MallKind]


async def days(here: Stand) -> list[Day]:
    stream = read_orders(read_rows(EXAMPLE_DATA / ORDERS_FILE))
    orders = [order for order in busiest(stream.orders, 1) if order.cancels is None]
    db = Database.at(here.settings.database_url)
    try:
        return [await lived(db, kind, orders) for kind in MallKind]
    finally:
        await db.close()


def main() -> int:
    with stand(workers=1, speed=1) as here:
        of_bursts = asyncio.run(bursts(here))
        show_bursts(of_bursts)
        of_days = asyncio.run(days(here))
        show_days(of_days)
    good = all(each.is_good for each in of_bursts) and not any(day.refused for day in of_days)
    return 0 if good else 1


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(main())
