"""How often a new shop asks for its orders: seconds of not knowing are what gets oversold, and no limit is used up by it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import Bucket, MallKind
from domain.store.database import Database
from integrations.malls.yahoo_shopping.connector import DAY
from tests.workers.town import Town, ref_at, town
from workers.context import Malls
from workers.import_orders import fetch_orders
from workers.throttle import KEPT_SHARE

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
A_DAY = timedelta(days=1)
MOST_OF_A_RATE = {RAKUTEN: 0.25, YAHOO: 0.25, AMAZON: 1.0}
"""Of what the mall answers in the long run; Amazon's order list is asked for nothing else."""


@dataclass
class Counting:
    """Keeps domain.model.malls.Throttle; remembers what was drawn."""

    drawn: list[Bucket] = field(default_factory=list)

    async def take(self, *buckets: Bucket) -> None:
        self.drawn += buckets

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        raise AssertionError("the sandbox has no limits here")


async def drawn_by_a_poll(here: Town, kind: MallKind) -> list[Bucket]:
    counting = Counting()
    malls = Malls(
        here.db, here.ctx.vault, here.ctx.malls.http, throttles=lambda shop, app: counting
    )
    ctx = replace(here.ctx, malls=malls)
    due = "UPDATE shops SET next_order_poll_at = clock_timestamp() RETURNING next_order_poll_at"
    due_at = await here.scalar(due)
    await fetch_orders(ctx, here.account_id, here.stalls[kind].id)
    assert await here.scalar("SELECT next_order_poll_at FROM shops") > due_at
    return counting.drawn


def shares(drawn: list[Bucket], every: timedelta) -> Iterator[tuple[str, float, float]]:
    """(bucket, share of its rate, share of its day) of so many draws that often."""
    for bucket in set(drawn):
        a_second = drawn.count(bucket) / every.total_seconds()
        of_day = a_second * A_DAY.total_seconds() / bucket.per_day if bucket.per_day else 0.0
        yield bucket.name, a_second / bucket.rate, of_day


def test_reading_open_orders_again_leaves_yahoos_day_to_others() -> None:
    """One call an order there: no more than is kept for orders and zeros."""
    a_day = MALL_SPECS[YAHOO].capabilities.rereads.a_minute * 24 * 60

    assert DAY.per_day is not None
    assert a_day <= KEPT_SHARE * DAY.per_day


@pytest.mark.parametrize("kind", MallKind)
async def test_no_limit_is_used_up_by_it(db: Database, malls: str, kind: MallKind) -> None:
    """Of a day, no more than is kept for orders and zeros, by asking alone; what is found costs a call an order at most."""
    every = MALL_SPECS[kind].capabilities.order_poll
    async with town(db, malls, kind) as here:
        await here.has(MUG=10)
        await here.starts()
        by_asking = await drawn_by_a_poll(here, kind)
        await here.stalls[kind].sells(ref_at(kind, "MUG"))
        with_an_order = await drawn_by_a_poll(here, kind)

    assert max(of_day for _, _, of_day in shares(by_asking, every)) <= KEPT_SHARE
    assert max(of_rate for _, of_rate, _ in shares(with_an_order, every)) <= MOST_OF_A_RATE[kind]
