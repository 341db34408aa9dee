"""Sending numbers to malls: in which lane, in which mode, and what becomes of a failure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import WriteMode
from domain.model.sync_errors import SyncErrorKind, classify

FIRST_WAIT = timedelta(seconds=15)
UNKNOWN_WAIT = timedelta(seconds=3)
REFUSED_WAIT = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_REFUSED_WAIT = timedelta(hours=24)
LONGEST_WAIT_OF_MALLS = timedelta(hours=24)
RISE_AFTER = timedelta(minutes=10)
MOST_CALLS_PER_BATCH = 20
GIVEN_UP_AFTER = timedelta(seconds=30)
"""From when a call was committed: whoever made it holds no lease any more, and calls no more."""

SOONEST_LANDING = timedelta(milliseconds=500)


class Lane(IntEnum):
    TO_ZERO = 0
    DECREASE = 1
    OTHER = 2


class PushState(StrEnum):
    """The life of one push. UNKNOWN: sent, and nobody knows whether it was applied."""

    WAITING = "WAITING"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class Retry:
    """Again at `at`. `counts`: it is a failed attempt. `base_unknown`: the number may stand already."""

    at: datetime
    counts: bool = True
    base_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """The shop stops, with a level 9 of this kind, until a person acts."""

    kind: SyncErrorKind


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The item waits until `until` and is tried again alone, absolute, from the last lane."""

    until: datetime
    lane: Lane = Lane.OTHER


def lane(expected: int, base_quantity: int | None, *, fell: bool = False) -> Lane:
    """Zeros first, then what falls: below the base, or, where nobody knows that, below what was to be shown before (`fell`)."""
    if expected <= 0:
        return Lane.TO_ZERO
    if fell if base_quantity is None else expected < base_quantity:
        return Lane.DECREASE
    return Lane.OTHER


def write_mode(
    expected: int, base_quantity: int | None, *, relative_on: bool, recent: bool, clean: bool
) -> WriteMode:
    """A delta only where all is sure; zero, anything from zero, and what changes nothing is absolute.

    `relative_on`: mall and shop do it. `recent`: the base is. `clean`: no open or failed attempt, no
    first registration, full sync or split batch.
    """
    above_zero = expected > 0 and base_quantity is not None and base_quantity > 0
    sure = relative_on and recent and clean and above_zero and expected != base_quantity
    return WriteMode.RELATIVE if sure else WriteMode.ABSOLUTE


def after_failure(error: MallError, attempts: int, *, now: datetime) -> Retry | Halt | Quarantine:
    """What becomes of a push, or of every push of a call, that failed for the `attempts`-th time.

    Nothing is given up: what may heal by itself is tried again, ever more rarely.
    """
    match error:
        case MallThrottled():
            return Retry(now + _wait(error.retry_after, attempts), counts=False)
        case MallUnavailable():
            return Retry(now + _wait(error.retry_after, attempts), counts=not error.maintenance)
        case MallOutcomeUnknown() | MallMalformed():
            return Retry(now + backoff(attempts, UNKNOWN_WAIT, LONGEST_WAIT), base_unknown=True)
        case MallRefused():
            return Quarantine(now + backoff(attempts, REFUSED_WAIT, LONGEST_REFUSED_WAIT))
        case MallLockedOut():
            return Halt(classify(error)[1])
        case _:
            return Retry(now + backoff(attempts, FIRST_WAIT, LONGEST_WAIT), base_unknown=True)


def lands_by(sent_at: datetime, now: datetime, late_landing: timedelta) -> datetime:
    """Until when a call without an answer may still be done: we gave it up by now, and the mall takes its time."""
    given_up_at = min(now, sent_at + GIVEN_UP_AFTER)
    return given_up_at + max(late_landing, SOONEST_LANDING)


def after_stumble(failures: int, *, now: datetime) -> datetime:
    """When to go on after a failure of our own, the `failures`-th in a row."""
    return now + backoff(failures, FIRST_WAIT, LONGEST_WAIT)


def backoff(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """`first` after the first failure, doubled by each further one, never above `longest`."""
    doublings = min(max(attempts - 1, 0), 30)
    return min(first * (1 << doublings), longest)


def _wait(told: timedelta | None, attempts: int) -> timedelta:
    """The mall's word goes, within a day; else ours."""
    if told is None:
        return backoff(attempts, FIRST_WAIT, LONGEST_WAIT)
    return min(max(told, timedelta()), LONGEST_WAIT_OF_MALLS)
