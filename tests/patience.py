"""How long a test waits for what has to come: only one that fails waits so long, however busy the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60.0
PROCESS_SECONDS = 240.0
"""For a process of ours to start, or to do what it is for."""

LOOK_AGAIN_SECONDS = (0.01, 0.1)
"""At first, and in the end: who looks too often keeps those from working who are waited for."""


async def eventually(
    what: Callable[[], Awaitable[object]], *, within: float = PATIENCE_SECONDS, because: str = ""
) -> None:
    """Looks again and again until it is so. Raises TimeoutError, with the reason, when it is not in time."""
    try:
        async with asyncio.timeout(within):
            pause, longest = LOOK_AGAIN_SECONDS
            while not await what():
                await asyncio.sleep(pause)
                pause = min(1.2 * pause, longest)
    except TimeoutError:
        raise TimeoutError(because or f"not within {within:g} s") from None
