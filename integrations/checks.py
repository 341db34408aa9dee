"""Pieces of the connection test and of the promises that are the same for every mall."""

from collections.abc import Awaitable, Sized
from datetime import datetime, timedelta
from typing import TypeVar

from domain.model.errors import MallError
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey, MallTime

T = TypeVar("T")

CLOCKS_AGREE_WITHIN = timedelta(seconds=30)


async def checked(key: CheckPartKey, call: Awaitable[T]) -> tuple[CheckPart, T | None]:
    """The part that a call proves, and what it answered."""
    try:
        answer = await call
    except MallError as error:
        words = error.mall_message or error.message
        return CheckPart(key, CheckOutcome.NG, mall_message=words, error=error), None
    return CheckPart(key, CheckOutcome.OK), answer


def clock_part(mall: MallTime | None, now: datetime) -> CheckPart:
    """Whether our clock and the mall's agree; `mall` was read at `now`."""
    if mall is None:
        return CheckPart(CheckPartKey.CLOCK, CheckOutcome.NOT_TESTED)
    apart = max(mall.earliest - now, now - mall.latest, timedelta(0))
    if apart <= CLOCKS_AGREE_WITHIN:
        return CheckPart(CheckPartKey.CLOCK, CheckOutcome.OK)
    error = MallError(f"The clocks are {apart.total_seconds():.0f} seconds apart: set this one.")
    return CheckPart(CheckPartKey.CLOCK, CheckOutcome.NG, error.message, error=error)


def not_tested(*keys: CheckPartKey) -> list[CheckPart]:
    return [CheckPart(key, CheckOutcome.NOT_TESTED) for key in keys]


def within_limit(items: Sized, limit: int) -> None:
    """Raises ValueError: a call of more is the caller's mistake, and nothing is sent."""
    if len(items) > limit:
        raise ValueError(f"{len(items)} items in one call; at most {limit}")
