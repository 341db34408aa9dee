"""A sign of life beside the work: a lease may be short, so that a dead holder is soon missed, though the work is long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from domain.store.outages import Outage

BEAT_SECONDS = 6.0
"""A lease of 20 seconds outlives two that were missed."""


@asynccontextmanager
async def beating(
    every: float, outage: Outage, beat: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Calls `beat` each `every` seconds for as long as the block runs. What fails in it is logged: whoever goes on
    without a lease is told where it matters, when it writes."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await beat()
            except Exception as error:
                outage.failed("beat_failed", error)

    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.wait({going})
