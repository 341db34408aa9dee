"""When a mall is left alone, for how long, and how it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model import breaker, errors
from domain.model.breaker import BreakerState

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("case", "error", "failed"),
    [
        ("answered", None, 0),
        ("an item is refused", errors.MallRefused(""), 0),
        ("unreachable", errors.MallUnavailable(""), 3),
        ("under maintenance", errors.MallUnavailable("", maintenance=True), 3),
        ("no answer", errors.MallOutcomeUnknown(""), 3),
        ("an answer nobody can read", errors.MallMalformed(""), 3),
        ("too many calls, says the mall", errors.MallThrottled(""), 3),
        ("too many calls, say we", errors.MallThrottled("", by_us=True), 2),
        ("locked out", errors.MallLockedOut(""), 2),
    ],
)
def test_which_calls_count_after_two_that_failed(case, error, failed):
    assert breaker.after_call(2, error) == failed, case


@pytest.mark.parametrize(
    ("failed", "paused_until", "state"),
    [
        (0, None, BreakerState.CLOSED),
        (2, NOW + HOUR, BreakerState.CLOSED),
        (3, NOW + SECOND, BreakerState.OPEN),
        (3, NOW, BreakerState.HALF_OPEN),
        (9, None, BreakerState.HALF_OPEN),
    ],
)
def test_state(failed, paused_until, state):
    assert breaker.state(failed, paused_until, NOW) is state


@pytest.mark.parametrize(
    ("case", "failed", "error", "seconds"),
    [
        ("the second", 2, errors.MallOutcomeUnknown(""), None),
        ("the third", 3, errors.MallOutcomeUnknown(""), 15),
        ("the one that was tried", 4, errors.MallOutcomeUnknown(""), 30),
        ("and again", 5, errors.MallUnavailable(""), 60),
        ("for long", 900, errors.MallUnavailable(""), 300),
        ("the mall says when", 3, errors.MallThrottled("", retry_after=HOUR), 3600),
        ("the mall says sooner", 4, errors.MallThrottled("", retry_after=SECOND), 30),
    ],
)
def test_the_wait_grows_with_each_call_that_fails(case, failed, error, seconds):
    wait = breaker.closed_for(failed, error)
    assert wait == (None if seconds is None else seconds * SECOND), case


def test_one_number_is_tried():
    assert [breaker.most_numbers(failed, 400) for failed in (0, 2, 3, 9)] == [400, 400, 1, 1]
