"""遮断: a mall that fails one call after the other is left alone, ever longer, and then tried with one number.

Else each call would wait out its deadline, with a batch of numbers whose outcome nobody knows.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.reflect import FIRST_WAIT, backoff

OPENS_AT = 3
"""Calls in a row."""

LONGEST_PAUSE = timedelta(minutes=5)
"""One number tried so often burdens no mall, and a mall that is well again is not kept waiting for longer."""


class BreakerState(StrEnum):
    """HALF_OPEN: the next call, with one number, decides."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


def after_call(failed_calls: int, error: MallError | None) -> int:
    """How many calls in a row have failed now. A refusal is an answer; our own pacing, and credentials that no mall takes,
    say nothing of how the mall is."""
    match error:
        case None | MallRefused():
            return 0
        case MallThrottled(by_us=True) | MallLockedOut():
            return failed_calls
        case _:
            return min(failed_calls + 1, 30_000)


def is_tripped(failed_calls: int) -> bool:
    return failed_calls >= OPENS_AT


def state(failed_calls: int, paused_until: datetime | None, now: datetime) -> BreakerState:
    if not is_tripped(failed_calls):
        return BreakerState.CLOSED
    waits = paused_until is not None and paused_until > now
    return BreakerState.OPEN if waits else BreakerState.HALF_OPEN


def closed_for(failed_calls: int, error: MallError) -> timedelta | None:
    """How long the mall is left alone; None where nothing says so. A mall that says how long is believed."""
    if not is_tripped(failed_calls):
        return None
    wait = backoff(failed_calls - OPENS_AT + 1, FIRST_WAIT, LONGEST_PAUSE)
    told = error.retry_after if isinstance(error, MallThrottled | MallUnavailable) else None
    return max(wait, told or timedelta())


def most_numbers(failed_calls: int, at_most: int) -> int:
    """That the next claim takes."""
    return 1 if is_tripped(failed_calls) else at_most
