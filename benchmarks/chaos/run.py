"""One run from its beginning to its end: open the shops, let things happen, wait until nothing moves, ask."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from benchmarks.chaos.checks import Change, Found, amiss, looked_at
from benchmarks.chaos.crowd import Crowd
from benchmarks.chaos.faults import strike
from benchmarks.chaos.grounds import Site
from benchmarks.chaos.leftovers import leftovers
from benchmarks.chaos.opening import opened
from benchmarks.chaos.scene import Say, Scene
from benchmarks.chaos.schedule import Act, Schedule, Size
from benchmarks.chaos.wares import Wares
from benchmarks.market import MallShop
from domain.store import audit
from domain.store import shops as shop_rows
from domain.store.database import Tx

SETTLED_WITHIN = 60.0
WAITED_AT_MOST = 120.0
LOOK_AGAIN = 0.5
TELL_EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Settled:
    """`after`: seconds from the end of the last fault; None where it never was. `checked`: how much was looked at."""

    after: float | None
    amiss: Sequence[str]
    checked: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`struck`: faults by kind; `tally`: what became of the shoppers; `repeats`: requests that were sent again."""

    struck: dict[str, int]
    tally: dict[str, int]
    changes: int
    repeats: int
    starts: int
    settled: Settled

    @property
    def good(self) -> bool:
        return not self.settled.amiss


async def run(site: Site, size: Size, wares: Wares, schedule: Schedule, say: Say) -> Outcome:
    async with opened(site, size, wares, schedule, say) as scene:
        crowd = Crowd(scene.market.shops, lambda shop, number: _sees(scene, shop, number))
        async with _beside(scene.merchant.looks_after_shops()):
            async with _beside(_tells(scene, crowd, len(schedule.strikes))):
                await _happens(scene, crowd, size, wares, schedule)
            settled = await _settled(scene, wares)
        return Outcome(
            dict(scene.struck),
            dict(crowd.tally),
            len(schedule.acts),
            scene.merchant.api.repeats,
            sum(each.starts for each in scene.grounds.members),
            settled,
        )


@asynccontextmanager
async def _beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """`work` goes on for as long as the block does."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tells(scene: Scene, crowd: Crowd, strikes: int) -> None:
    while True:
        await asyncio.sleep(TELL_EVERY)
        orders = crowd.tally["orders"]
        scene.say(f"{scene.struck.total()} of {strikes} faults, {orders} orders")


async def _happens(
    scene: Scene, crowd: Crowd, size: Size, wares: Wares, schedule: Schedule
) -> None:
    begun = asyncio.get_running_loop().time()
    scene.say(f"{len(schedule.strikes)} faults within {size.seconds:.0f} s")
    async with asyncio.TaskGroup() as together:
        together.create_task(crowd.come(wares.steps, size.seconds))
        together.create_task(_fails(scene, schedule, begun))
        for act in schedule.acts:
            together.create_task(_acts(scene, act, begun))


async def _fails(scene: Scene, schedule: Schedule, begun: float) -> None:
    """Until the last fault has ended; those that no call has met by then are lifted."""
    async with asyncio.TaskGroup() as together:
        for each in schedule.strikes:
            together.create_task(strike(scene, each, begun))
    for shop in scene.market.shops:
        await shop.stall.ask("DELETE", "faults")
    scene.ended_at = asyncio.get_running_loop().time()
    scene.say("All faults are over")


async def _acts(scene: Scene, act: Act, begun: float) -> None:
    await asyncio.sleep(max(0.0, begun + act.at - asyncio.get_running_loop().time()))
    await scene.merchant.act(act)


async def _sees(scene: Scene, shop: MallShop, number: str) -> bool:
    async def so(tx: Tx) -> bool:
        return await audit.knows_order(tx, shop.id, number)

    return await scene.read(so)


async def _settled(scene: Scene, wares: Wares) -> Settled:
    clock = asyncio.get_running_loop()
    scene.say("Waiting until nothing moves, asking the malls again and again")
    while True:
        found = await _found(scene)
        left = amiss(found, scene.market.shops, wares, scene.merchant)
        took = clock.time() - scene.ended_at
        if not left:
            late = [] if took <= SETTLED_WITHIN else [f"It took {took:.0f} s to settle."]
            return Settled(took, late, looked_at(found))
        if took > WAITED_AT_MOST:
            for line in await leftovers(scene):
                scene.say(line)
            return Settled(None, left, looked_at(found))
        await asyncio.sleep(LOOK_AGAIN)


async def _found(scene: Scene) -> Found:
    rows = await scene.as_superuser("SELECT shop_id, state, at FROM chaos.states ORDER BY at")
    changes = [Change(UUID(str(row["shop_id"])), row["state"], row["at"]) for row in rows]
    return Found(
        await scene.market.books(),
        await scene.read(audit.books),
        await scene.read(audit.unsettled),
        await scene.read(shop_rows.every),
        await scene.read(audit.errors),
        changes,
    )
