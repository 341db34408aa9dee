"""In which lane and mode a number is sent, and what becomes of a failure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model import errors, reflect
from domain.model.malls import ItemRef, WriteMode
from domain.model.reflect import Halt, Lane, Quarantine, Retry, Split
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
    ("lane", "waited", "risen"),
    [
        (Lane.OTHER, timedelta(minutes=9), Lane.OTHER),
        (Lane.OTHER, reflect.RISE_AFTER, Lane.DECREASE),
        (Lane.OTHER, timedelta(days=1), Lane.DECREASE),
        (Lane.DECREASE, reflect.RISE_AFTER, Lane.TO_ZERO),
        (Lane.TO_ZERO, reflect.RISE_AFTER, Lane.TO_ZERO),
    ],
)
def test_what_waits_long_rises_one_lane(lane, waited, risen):
    assert reflect.risen(lane, waited) is risen


@pytest.mark.parametrize(
    ("case", "expected", "shown", "but", "mode"),
    [
        ("all sure", 3, 5, {}, WriteMode.RELATIVE),
        ("to zero", 0, 5, {}, WriteMode.ABSOLUTE),
        ("from zero", 3, 0, {}, WriteMode.ABSOLUTE),
        ("from nobody knows what", 3, None, {}, WriteMode.ABSOLUTE),
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


def test_a_refused_item_goes_on_from_the_last_lane():
    assert reflect.after_failure(errors.MallRefused(""), 1, now=NOW).lane is Lane.OTHER


@given(attempts=st.integers(-3, 10_000))
def test_the_wait_grows_and_is_bounded(attempts):
    first, longest = timedelta(seconds=15), timedelta(hours=1)
    wait = reflect.backoff(attempts, first, longest)
    assert first <= wait <= reflect.backoff(attempts + 1, first, longest) <= longest


A, B, C, D = (ItemRef(code) for code in "abcd")


@pytest.mark.parametrize(
    ("case", "batch", "named", "calls", "split"),
    [
        ("the mall names it: the rest goes again", (A, B, C), B, 1, Split((B,), ((A, C),))),
        ("it names what was not sent", (A, B), C, 1, Split((), ((A,), (B,)))),
        ("nobody named: halves", (A, B, C), None, 1, Split((), ((A,), (B, C)))),
        ("one item is left: that is it", (A,), None, 5, Split((A,))),
        ("the only one is named", (A,), A, 5, Split((A,))),
        ("at the limit the rest waits", (A, B), None, 19, Split((), (), (A, B))),
        ("a named one is known even then", (A, B, C), A, 20, Split((A,), (), (B, C))),
        ("one call is left for the rest", (A, B, C), A, 19, Split((A,), ((B, C),))),
    ],
)
def test_bisect(case, batch, named, calls, split):
    assert reflect.bisect(batch, named, calls) == split, case


@given(size=st.integers(1, 120), data=st.data(), names=st.booleans())
def test_a_refused_batch_loses_no_item_and_makes_few_calls(size, data, names):
    batch = tuple(ItemRef(str(n)) for n in range(size))
    bad = data.draw(st.sets(st.sampled_from(batch), min_size=1, max_size=6))
    waiting, sent, refused, later, calls = [batch], [], [], [], 0
    while waiting:
        part = waiting.pop()
        calls += 1
        if bad.isdisjoint(part):
            sent.extend(part)
            continue
        named = min(bad & set(part)) if names else None
        split = reflect.bisect(part, named, calls + len(waiting))
        refused.extend(split.refused)
        waiting.extend(split.again)
        later.extend(split.later)
    assert calls <= reflect.MOST_CALLS_PER_BATCH
    assert sorted(sent + refused + later) == sorted(batch)
    assert set(refused) <= bad
    assert bad.isdisjoint(sent)
