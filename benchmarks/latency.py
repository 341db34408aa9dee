"""From a mall's order list to the last mall's counter, by the malls' own books.

    .venv/bin/python -m benchmarks.latency [lifted|limited] [--workers N] [--seconds N] [--per-second N]

Real orders of at most five lines at five shops: two at Rakuten, two at Yahoo, one at Amazon. Engines, malls, workers and
shoppers share the machine. Each order is timed by the last counter that it changed, beyond the interval at which its
shop's order list is read.

* `lifted`: the malls have neither limits nor delays, order lists are read each second, nothing is ever sold out.
* `limited`: the malls keep the limits of their sheets, and each product starts with 60 % of its demand, so that many end
  at zero. One order a second is what those limits sustain: each order has some 3.3 lines, each line costs Amazon a call,
  and Amazon lets five a second through. Amazon itself sells nothing here: it lets its order list be read every three
  minutes, which no short run would see.

Exit code 1 when a limit is missed, or when the malls do not show in the end what they should.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from benchmarks.market import EACH_SECOND, FIVE_SHOPS, LIFTED, Market, Polls, market
from benchmarks.reached import Order, Reached, orders, percentile, reached
from benchmarks.saying import say
from benchmarks.shoppers import Placed, in_plenty, orders_of, shop
from benchmarks.stand import UNHINDERED, Stand, stand
from domain.model.malls import MallKind
from domain.store import audit as audit_rows
from domain.store.audit import Unsettled
from renkei.demo.audit import Finding
from renkei.demo.baskets import Baskets

BASKETS = 400
"""So many real orders have five lines or fewer; of more, the demo's rule takes those of ten."""

SETTLES_WITHIN = 60.0
LOOK_AGAIN = 0.2
ZERO_WITHIN = 60.0
ZERO_SHARE = 0.95
NAMED_AT_MOST = 10

AS_THE_SHEETS_SAY: Polls = {
    MallKind.RAKUTEN: 3,
    MallKind.YAHOO_SHOPPING: 5,
    MallKind.AMAZON: 180,
}


@dataclass(frozen=True, slots=True)
class Row:
    """`most`: seconds beyond the poll by percentile. `sells`: how many of the shops do, the first ones."""

    name: str
    mall_speed: float
    our_speed: int
    polls: Polls
    per_second: float
    seconds: float
    warm_seconds: float
    sells: int
    plenty: bool
    most: Mapping[int, float]


ROWS = {
    "lifted": Row(
        "limits lifted", UNHINDERED, LIFTED, EACH_SECOND, 50, 20, 4, 5, True, {95: 1.0, 99: 2.0}
    ),
    "limited": Row("the sheets' limits", 1, 1, AS_THE_SHEETS_SAY, 1, 45, 0, 4, False, {}),
}


@dataclass(frozen=True, slots=True)
class Run:
    row: Row
    placed: Placed
    found: Sequence[Reached]
    findings: Sequence[Finding]
    pushes: int
    worked: Mapping[str, float]
    polls: Mapping[UUID, int]

    @property
    def orders(self) -> list[Order]:
        return orders(self.found)

    def beyond(self, order: Order) -> float:
        return max(0.0, order.seconds - self.polls[order.order[0]])

    @property
    def missed(self) -> list[str]:
        wrong = [each.text for each in self.findings]
        for percent, most in self.row.most.items():
            took = percentile(self.orders, percent, self.beyond)
            if took >= most:
                wrong.append(f"p{percent} beyond the poll is {took:.2f} s: {most:g} s are allowed.")
        late = self.late_zeros
        if len(late) > (1 - ZERO_SHARE) * len(self.zeros):
            wrong.append(f"{len(late)} of {len(self.zeros)} drops to zero took over a minute.")
        return wrong

    @property
    def zeros(self) -> list[Reached]:
        return [each for each in self.found if each.to_zero]

    @property
    def late_zeros(self) -> list[Reached]:
        return [each for each in self.zeros if zero_seconds(each) > ZERO_WITHIN]


def zero_seconds(each: Reached) -> float:
    """From the order's fetch to the other mall's counter."""
    if each.written_at is None:
        return float("inf")
    return (each.written_at - each.recorded_at).total_seconds()


async def measured(here: Stand, row: Row) -> Run:
    baskets = Baskets(BASKETS)
    goods = in_plenty(baskets.catalogue) if row.plenty else baskets.catalogue
    async with market(here, FIVE_SHOPS, goods, speed=row.our_speed, polls=row.polls) as there:
        await settled(there, 0)
        selling = there.shops[: row.sells]
        warm = orders_of(baskets, int(row.warm_seconds * row.per_second))
        warmed = await shop(selling, warm, row.per_second)
        before = (await unsettled(there)).pushes
        here.cpu.lap()
        stream = orders_of(baskets, int(row.seconds * row.per_second))
        placed = await shop(selling, stream, row.per_second)
        await settled(there, len(warmed.visible) + len(placed.visible))
        worked, pushes = here.cpu.lap(), (await unsettled(there)).pushes - before
        found, findings = await reached(there, placed.visible)
        polls = {each.id: row.polls[each.stall.kind] for each in there.shops}
    return Run(row, placed, found, findings, pushes, worked, polls)


async def settled(there: Market, orders: int) -> None:
    """Until so many orders are known and nothing waits. What takes too long is found in the end, as a difference."""
    clock = asyncio.get_running_loop()
    end = clock.time() + SETTLES_WITHIN
    while clock.time() < end:
        state = await unsettled(there)
        if not (state.waiting or state.differences) and await there.knows(orders):
            return
        await asyncio.sleep(LOOK_AGAIN)


async def unsettled(there: Market) -> Unsettled:
    async with there.db.transaction(there.account_id) as tx:
        return await audit_rows.unsettled(tx)


def show(run: Run, workers: int) -> None:
    row, timed = run.row, run.orders
    say(f"{row.name}: {row.per_second:g} orders/s, {run.placed.lines / row.seconds:.0f} lines/s,")
    say(
        f"  {len(run.placed.visible)} orders changed {len(run.found)} counters in {run.pushes} pushes; "
        f"{workers} workers; order lists read every {sorted(set(row.polls.values()))} s"
    )
    say(f"  {'seconds':<28}{'p50':>8}{'p95':>8}{'p99':>8}")
    lines = {
        "beyond the poll": run.beyond,
        "all": lambda each: each.seconds,
        "  list to order taken": lambda each: each.fetched,
        "  order taken to number sent": lambda each: each.waited,
        "  number sent to counter": lambda each: each.called,
    }
    for name, of in lines.items():
        figures = "".join(f"{percentile(timed, each, of):>8.2f}" for each in (50, 95, 99))
        say(f"  {name:<28}{figures}")
    if run.zeros:
        show_zeros(run)
    by_role = ", ".join(
        f"{name} {each / max(run.pushes, 1) * 1000:.2f}" for name, each in run.worked.items()
    )
    say(f"  seconds of a core per 1,000 pushes: {by_role}")


def show_zeros(run: Run) -> None:
    late = run.late_zeros
    share = 1 - len(late) / len(run.zeros)
    say(f"  drops to zero accepted within 60 s of the fetch: {share:.1%} of {len(run.zeros)}")
    for each in late[:NAMED_AT_MOST]:
        say(f"    {each.ref} took {zero_seconds(each):.0f} s")


def main() -> int:
    words = argparse.ArgumentParser()
    words.add_argument("rows", nargs="*", default=list(ROWS))
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--seconds", type=float)
    words.add_argument("--per-second", type=float)
    asked = words.parse_args()
    missed: list[str] = []
    for name in asked.rows:
        row = ROWS[name]
        given = {"seconds": asked.seconds, "per_second": asked.per_second}
        row = replace(row, **{key: value for key, value in given.items() if value is not None})
        with stand(workers=asked.workers, speed=row.mall_speed) as here:
            run = asyncio.run(measured(here, row))
        show(run, asked.workers)
        missed += run.missed
    for each in missed[:NAMED_AT_MOST]:
        say(f"MISSED: {each}")
    return 1 if missed else 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(main())
