"""The place in a mall's queue comes before the numbers: they wait in their rows, and the newest and most urgent go."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from domain.model.actors import SYSTEM
from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.hurried import hurried
from tests.workers.town import Town, at_work, eventually, now, product_ids, town
from workers.context import Malls
from workers.places import Queue, holding
from workers.throttle import StoredThrottle

RAKUTEN = MallKind.RAKUTEN
BURST = 5


@dataclass
class Gate:
    """Keeps domain.model.malls.Throttle: writes are let through once it is opened. `stand`: how many wait."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    stand: int = 0

    async def take(self, *buckets: Bucket) -> None:
        if any(bucket.name == "rakuten.stock.write" for bucket in buckets):
            self.stand += 1
            await self.opened.wait()

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        raise AssertionError("The mall has no limits.")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def here(db: Database, malls: str, gate: Gate) -> AsyncIterator[Town]:
    def gated(_: Shop, __: str) -> Gate:
        return gate

    async with town(db, malls, RAKUTEN) as made:
        gated_malls = Malls(db, made.ctx.vault, made.ctx.malls.http, throttles=gated)
        async with at_work(replace(made.ctx, malls=gated_malls)):
            yield made


async def test_a_number_that_changes_while_it_waits_for_the_mall_goes_out_once_as_it_is_then(
    here: Town, gate: Gate
) -> None:
    await here.has(MUG=10)
    await here.starts()
    await _counts(here, MUG=7)
    await eventually(lambda: asyncio.sleep(0, gate.stand > 0))

    await _counts(here, MUG=3)
    gate.opened.set()

    await here.settled("MUG", 3)
    assert await here.query("SELECT before, quantity FROM pushes ORDER BY id") == [(10, 3)]


async def test_what_falls_to_zero_while_others_wait_for_the_mall_goes_out_with_the_same_call(
    here: Town, gate: Gate
) -> None:
    await here.has(MUG=10, TEA=10)
    await here.starts()
    await _counts(here, MUG=12)
    await eventually(lambda: asyncio.sleep(0, gate.stand > 0))

    await _counts(here, TEA=0)
    gate.opened.set()

    await here.settled("TEA", 0)
    await here.settled("MUG", 12)
    sent = "SELECT array_agg(quantity ORDER BY lane) AS quantities FROM pushes GROUP BY call_id"
    assert await here.query(sent) == [([0, 12],)]


async def test_as_many_places_are_taken_as_there_are_at_once(db: Database) -> None:
    queue, bucket = a_queue(db)

    assert (await queue.places((bucket,), at_most=3)).left == 3
    assert (await queue.places((bucket,), at_most=10)).left == BURST - 3


async def test_a_mall_without_room_says_so_before_anything_is_claimed(db: Database) -> None:
    queue, bucket = a_queue(db)
    await queue.places((bucket,), at_most=BURST)

    with pytest.raises(MallThrottled):
        await queue.places((bucket,), at_most=1)


async def test_calls_use_up_the_places_that_are_held_for_them(db: Database) -> None:
    """And no more: what comes after draws from the mall's limit again. Other limits are not touched by them."""
    queue, bucket = a_queue(db)
    other = replace(bucket, name=f"other-{secrets.token_hex(6)}")
    places = await queue.places((bucket,), at_most=BURST)

    with holding(places):
        await asyncio.gather(*(queue.take(bucket) for _ in range(BURST)))
        await queue.take(other)
        with pytest.raises(MallThrottled):
            await queue.take(bucket)
    assert places.left == 0


@dataclass
class Paced:
    """Keeps domain.model.malls.Throttle: gives a place each `gap` seconds."""

    gap: float
    _next: float = 0.0

    async def take(self, *buckets: Bucket) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self.gap
        await asyncio.sleep(at - now)

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        raise AssertionError("The mall has room.")


def test_calls_keep_their_distance_however_long_their_claims_took() -> None:
    """The first claim took longer than the second: counted from their places the calls would come too close."""
    bucket, queue = Bucket("write", rate=4, burst=1), Queue(Paced(gap=0.25))

    async def sent(claim_takes: float) -> float:
        with holding(await queue.places((bucket,), at_most=1)):
            await asyncio.sleep(claim_takes)
            await queue.take(bucket)
            return asyncio.get_running_loop().time()

    async def send() -> list[float]:
        return [await sent(claim_takes) for claim_takes in (0.2, 0.0, 0.0)]

    assert hurried(send()) == pytest.approx([0.2, 0.45, 0.7])


def a_queue(db: Database) -> tuple[Queue, Bucket]:
    throttle = StoredThrottle(db, secrets.token_hex(6), "app")
    return Queue(throttle), Bucket(f"write-{secrets.token_hex(6)}", rate=0.001, burst=BURST)


async def _counts(here: Town, **totals: int) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, list(totals))
        items = [stock.NewTotal(ids[code], total) for code, total in totals.items()]
        await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

    await here.db.run(here.account_id, work)
