"""A mall answers within so many seconds, or nobody knows what it did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.model.errors import MallOutcomeUnknown


@asynccontextmanager
async def answered_within(
    seconds: float, late: str = "The mall did not answer"
) -> AsyncIterator[None]:
    """Raises MallOutcomeUnknown, which says what came too `late`, when the block takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"{late} within {seconds:g} s.") from error
