"""A mall that closes, or fails, while a batch is under way: what stands stands, what waits waits, and nothing goes out twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.workers.town import Town, all_errors, eventually, now, open_errors, product_ids, town
from workers import clock

RAKUTEN, AMAZON = MallKind.RAKUTEN, MallKind.AMAZON
CODES = [f"T{nth:02}" for nth in range(30)]
AT_ONCE = 10
"""Calls to Amazon that are under way together."""

SLOW_SECONDS = 2.0
UNSENT = "SELECT count(*) FROM pushes WHERE state = 'SUPERSEDED'"


@asynccontextmanager
async def shop_at(
    db: Database, malls: str, kind: MallKind, codes: list[str]
) -> AsyncIterator[Town]:
    """Ten of each, all of which are seven by now; nobody at work yet."""
    async with town(db, malls, kind) as here:
        await here.has(**dict.fromkeys(codes, 10))
        await here.starts()

        async def count(tx: Tx) -> None:
            ids = await product_ids(tx, codes)
            items = [stock.NewTotal(ids[code], 7) for code in codes]
            await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

        await here.db.run(here.account_id, count)
        yield here


@asynccontextmanager
async def working(here: Town) -> AsyncIterator[None]:
    task = asyncio.create_task(clock.run(here.ctx, sweep_seconds=0.1))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_maintenance_that_begins_in_the_middle_of_a_batch(db: Database, malls: str) -> None:
    async with shop_at(db, malls, AMAZON, CODES) as here:
        amazon = here.stalls[AMAZON]
        await amazon.goes_wrong("slow", on=["writes"], seconds=SLOW_SECONDS)
        async with working(here):
            await eventually(lambda: _has_asked(here, AT_ONCE))
            await amazon.goes_wrong("maintenance")
            await eventually(lambda: _waits_on(here, len(CODES) - AT_ONCE))
            stand = await _written(here)
            assert (len(stand), set(stand.values())) == (AT_ONCE, {1})

            await amazon.goes_right()

            await eventually(lambda: _is_settled(here))
        assert await _written(here) == Counter(dict.fromkeys(CODES, 1))
        assert set(await all_errors(here)) == {(8, "MAINTENANCE", "RESOLVED")}


async def test_a_mall_that_fails_again_and_again_is_tried_with_one_number(
    db: Database, malls: str
) -> None:
    async with shop_at(db, malls, RAKUTEN, CODES[:5]) as here:
        await here.stalls[RAKUTEN].goes_wrong("maintenance", on=["writes"])
        async with working(here):
            await eventually(lambda: _has_failed(here, 4))
            assert (await _sizes(here))[:4] == [5, 5, 5, 1]

            await here.stalls[RAKUTEN].goes_right()

            await eventually(lambda: _is_settled(here))
        assert await here.scalar("SELECT failed_calls FROM shops") == 0
        assert await open_errors(here) == []


async def _has_asked(here: Town, calls: int) -> bool:
    requests = (await here.stalls[AMAZON].asks("GET", "state"))["requests"]
    return int(requests.get("patchListingsItem", 0)) >= calls


async def _waits_on(here: Town, numbers: int) -> bool:
    """So many went out, and were never written."""
    return int(await here.scalar(UNSENT)) >= numbers


async def _has_failed(here: Town, times: int) -> bool:
    return int(await here.scalar("SELECT max(failed_calls) FROM shops")) >= times


async def _is_settled(here: Town) -> bool:
    (stall,) = here.stalls.values()
    items = (await stall.asks("GET", "state"))["items"]
    return {item["quantity"] for item in items} == {7} and not await here.unsettled()


async def _written(here: Town) -> Counter[str]:
    """How often each number was written at the mall."""
    (stall,) = here.stalls.values()
    return Counter(each["item_code"] for each in (await stall.asks("GET", "state"))["writes"])


async def _sizes(here: Town) -> list[int]:
    """Numbers of each call, in the order in which they were made."""
    found = await here.query(
        "SELECT count(*) AS numbers FROM pushes GROUP BY call_id ORDER BY min(id::text)"
    )
    return [each.numbers for each in found]
