"""Who gets a place when accounts share them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from workers.fairness import FairPlaces

MANY, FEW, ONE = uuid4(), uuid4(), uuid4()


class Room:
    """Four places for one account, two more for the others; who is in it, in the order in which they came."""

    def __init__(self) -> None:
        self.places = FairPlaces(of_one=4)
        self.came: list[UUID] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.may_go: dict[UUID, asyncio.Semaphore] = {}

    async def asks(self, account_id: UUID, times: int) -> None:
        for _ in range(times):
            self.tasks.append(asyncio.create_task(self._stays(account_id)))
        await self.settles()

    async def _stays(self, account_id: UUID) -> None:
        async with self.places.place(account_id):
            self.came.append(account_id)
            await self.may_go.setdefault(account_id, asyncio.Semaphore(0)).acquire()

    async def leaves(self, account_id: UUID, times: int = 1) -> None:
        for _ in range(times):
            self.may_go[account_id].release()
        await self.settles()

    async def settles(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    yield room
    for task in room.tasks:
        task.cancel()
    await asyncio.gather(*room.tasks, return_exceptions=True)


async def test_one_account_never_takes_the_places_of_the_others(room: Room) -> None:
    await room.asks(MANY, 10)
    assert room.came == [MANY] * 4

    await room.asks(ONE, 1)

    assert room.came == [MANY] * 4 + [ONE]


async def test_a_place_that_is_given_back_goes_to_who_holds_the_fewest(room: Room) -> None:
    await room.asks(MANY, 10)
    await room.asks(FEW, 5)
    await room.asks(ONE, 1)
    assert room.came == [MANY] * 4 + [FEW] * 2

    await room.leaves(MANY, 3)

    assert room.came[6:] == [ONE, MANY, FEW]


async def test_who_stops_waiting_keeps_no_place(room: Room) -> None:
    await room.asks(MANY, 10)
    for task in room.tasks[4:9]:
        task.cancel()
    await room.leaves(MANY, 1)
    assert room.came == [MANY] * 5

    await room.leaves(MANY, 4)
    await room.asks(ONE, 4)
    await room.asks(FEW, 4)

    assert room.came[5:] == [ONE] * 4 + [FEW] * 2


async def test_who_is_stopped_just_as_its_turn_comes_passes_it_on(room: Room) -> None:
    await room.asks(MANY, 6)
    room.may_go[MANY].release()
    await asyncio.sleep(0)
    room.tasks[4].cancel()
    await room.settles()

    await room.leaves(MANY, 4)
    room.came.clear()
    await room.asks(ONE, 4)
    await room.asks(FEW, 4)

    assert room.came == [ONE] * 4 + [FEW] * 2


async def test_who_is_stopped_just_before_its_turn_would_come_is_passed_over(room: Room) -> None:
    """Whoever gives its place back has found out first."""
    await room.asks(MANY, 6)
    room.may_go[MANY].release()
    room.tasks[4].cancel()
    await room.settles()

    assert room.tasks[4].cancelled()
    assert room.came == [MANY] * 5
