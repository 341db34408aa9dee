"""In which lane and mode a number is sent, and what becomes of a failure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model import errors, reflect
from domain.model.malls import WriteMode
from domain.model.reflect import Halt, Lane, Quarantine, Retry
from domain.model.sync_errors import SyncErrorKind

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


def after(**wait: float) -> datetime:
    return NOW + timedelta(**wait)


@pytest.mark.parametrize(
    ("case", "expected", "shown", "lane"),
    [
        ("sold out", 0, 5, Lane.TO_ZERO),
        ("zero, whatever is shown", 0, None, Lane.TO_ZERO),
        ("fewer than shown", 3, 5, Lane.DECREASE),
        ("more than shown", 6, 5, Lane.OTHER),
        ("from zero", 6, 0, Lane.OTHER),
        ("as shown", 5, 5, Lane.OTHER),
        ("nobody knows what is shown", 5, None, Lane.OTHER),
    ],
)
def test_lane(case, expected, shown, lane):
    assert reflect.lane(expected, shown) is lane, case


@pytest.mark.parametrize(
    ("case", "expected", "shown", "lane"),
    [
        ("nobody knows what is shown", 5, None, Lane.DECREASE),
        ("and still more than is shown", 5, 3, Lane.OTHER),
        ("sold out", 0, None, Lane.TO_ZERO),
    ],
)
def test_lane_of_what_was_to_show_more_before(case, expected, shown, lane):
    assert reflect.lane(expected, shown, fell=True) is lane, case


@pytest.mark.parametrize(
    ("case", "expected", "shown", "but", "mode"),
    [
        ("all sure", 3, 5, {}, WriteMode.RELATIVE),
        ("to zero", 0, 5, {}, WriteMode.ABSOLUTE),
        ("from zero", 3, 0, {}, WriteMode.ABSOLUTE),
        ("from nobody knows what", 3, None, {}, WriteMode.ABSOLUTE),
        ("as shown", 5, 5, {}, WriteMode.ABSOLUTE),
        ("not switched on", 3, 5, {"relative_on": False}, WriteMode.ABSOLUTE),
        ("an old base", 3, 5, {"recent": False}, WriteMode.ABSOLUTE),
        ("a retry", 3, 5, {"clean": False}, WriteMode.ABSOLUTE),
    ],
)
def test_a_delta_is_sent_only_when_all_is_sure(case, expected, shown, but, mode):
    sure = {"relative_on": True, "recent": True, "clean": True} | but
    assert reflect.write_mode(expected, shown, **sure) is mode, case


@pytest.mark.parametrize(
    ("case", "error", "attempts", "outcome"),
    [
        ("throttled: when the mall says", errors.MallThrottled("", retry_after=timedelta(seconds=7)), 3, Retry(after(seconds=7), counts=False)),
        ("throttled without a word", errors.MallThrottled(""), 1, Retry(after(seconds=15), counts=False)),
        ("the mall's word goes within a day", errors.MallThrottled("", retry_after=timedelta(days=30)), 1, Retry(after(days=1), counts=False)),
        ("a word from the past means now", errors.MallThrottled("", retry_after=timedelta(seconds=-5)), 1, Retry(NOW, counts=False)),
        ("unreachable", errors.MallUnavailable(""), 1, Retry(after(seconds=15))),
        ("again unreachable", errors.MallUnavailable(""), 3, Retry(after(seconds=60))),
        ("for long unreachable", errors.MallUnavailable(""), 400, Retry(after(hours=1))),
        ("unreachable until", errors.MallUnavailable("", retry_after=timedelta(minutes=9)), 1, Retry(after(minutes=9))),
        ("maintenance is no failure of the push", errors.MallUnavailable("", maintenance=True), 2, Retry(after(seconds=30), counts=False)),
        ("no answer: soon, and who knows what stands", errors.MallOutcomeUnknown(""), 1, Retry(after(seconds=3), base_unknown=True)),
        ("no answer, again", errors.MallOutcomeUnknown(""), 4, Retry(after(seconds=24), base_unknown=True)),
        ("an answer nobody can read", errors.MallMalformed(""), 1, Retry(after(seconds=3), base_unknown=True)),
        ("the item is refused", errors.MallRefused(""), 1, Quarantine(after(minutes=10))),
        ("refused for good", errors.MallRefused(""), 99, Quarantine(after(days=1))),
        ("locked out", errors.MallLockedOut(""), 1, Halt(SyncErrorKind.CREDENTIALS_REFUSED)),
        ("consent has lapsed", errors.MallLockedOut("", consent=True), 1, Halt(SyncErrorKind.CONSENT_NEEDED)),
        ("whatever else", errors.MallError(""), 1, Retry(after(seconds=15), base_unknown=True)),
    ],
)  # fmt: skip
def test_after_failure(case, error, attempts, outcome):
    assert reflect.after_failure(error, attempts, now=NOW) == outcome, case


@pytest.mark.parametrize(
    ("case", "ago", "late_landing", "lands_by"),
    [
        ("given up now", 4, 60, after(seconds=60)),
        ("its holder died long ago", 3600, 60, after(seconds=30 + 60 - 3600)),
        ("a hurried mall takes its moment", 4, 0.001, after(seconds=0.5)),
    ],
)
def test_until_when_a_call_without_an_answer_may_still_be_done(case, ago, late_landing, lands_by):
    landing = timedelta(seconds=late_landing)
    assert reflect.lands_by(after(seconds=-ago), NOW, landing) == lands_by, case


def test_a_refused_item_goes_on_from_the_last_lane():
    assert reflect.after_failure(errors.MallRefused(""), 1, now=NOW).lane is Lane.OTHER


@given(attempts=st.integers(-3, 10_000))
def test_the_wait_grows_and_is_bounded(attempts):
    first, longest = timedelta(seconds=15), timedelta(hours=1)
    wait = reflect.backoff(attempts, first, longest)
    assert first <= wait <= reflect.backoff(attempts + 1, first, longest) <= longest
