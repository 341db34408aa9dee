"""A sign of life beside the work: a lease may be short, so that a dead holder is soon missed, though the work is long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

BEAT_SECONDS = 6.0
"""A lease of 20 seconds outlives two that were missed."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def beating(every: float, beat: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Calls `beat` each `every` seconds for as long as the block runs. What fails in it is logged: whoever goes on
    without a lease is told where it matters, when it writes."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await beat()
            except Exception:
                log.exception("beat_failed")

    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going
