"""How long a test waits for what has to come: only one that fails waits so long, however busy the machine is."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.01


async def eventually(
    what: Callable[[], Awaitable[object]], *, within: float = PATIENCE_SECONDS, because: str = ""
) -> None:
    """Looks again and again until it is so. Raises TimeoutError, with the reason, when it is not in time."""
    try:
        async with asyncio.timeout(within):
            while not await what():  # noqa: ASYNC110  what is looked at is another system's
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
    except TimeoutError:
        raise TimeoutError(because or f"not within {within:g} s") from None
