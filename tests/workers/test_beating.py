"""Long work says that it is under way, for as long as it is."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.store.outages import Outage
from tests.workers.town import eventually
from workers.beating import beating

OFTEN = 0.001


async def fails() -> None:
    raise RuntimeError("The database is away.")


async def is_well() -> None:
    return


@pytest.mark.parametrize("beats", [is_well, fails])
async def test_it_beats_until_the_work_is_done_whatever_becomes_of_a_beat(
    beats: Callable[[], Awaitable[None]],
) -> None:
    heard = 0

    async def beat() -> None:
        nonlocal heard
        heard += 1
        await beats()

    async with beating(OFTEN, Outage(), beat):
        await eventually(lambda: asyncio.sleep(0, heard > 2))
    last = heard

    await asyncio.sleep(OFTEN * 20)
    assert heard == last


async def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(LookupError):
        async with beating(OFTEN, Outage(), is_well):
            raise LookupError
