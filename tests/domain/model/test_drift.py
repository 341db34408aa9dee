"""What a reading that contradicts us comes to, once the orders are known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.base import Base, MallStockSource, after_change
from domain.model.base import CounterChange as Change
from domain.model.drift import (
    Verdict,
    contradicts,
    doubted,
    is_over,
    shows_its_total,
    units,
    verdict,
)
from domain.model.malls import MallTime
from domain.model.shops import DriftPolicy

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def moment(minutes: int) -> MallTime:
    return MallTime(NOON + minutes * MINUTE, NOON + minutes * MINUTE)


OURS = Base(5, moment(0), MallStockSource.APPLIED_PUSH)
READ = Base(3, moment(10), MallStockSource.READ_BACK)


@pytest.mark.parametrize(
    ("case", "believed", "seen", "contradicted"),
    [
        ("another number", OURS, READ, True),
        ("the same", OURS, replace(READ, quantity=5), False),
        ("nobody knew", replace(OURS, quantity=None), READ, False),
        ("nobody knows when it was so", replace(OURS, at=None), READ, False),
        ("a file said so", replace(OURS, source=MallStockSource.FILE), READ, False),
        ("the reading says no number", OURS, replace(READ, quantity=None), False),
        ("the reading was not believed", OURS, OURS, False),
    ],
)
def test_what_contradicts_us(case, believed, seen, contradicted):
    assert contradicts(believed, seen) is contradicted, case
    assert doubted(None, believed, seen) == (believed if contradicted else None), case


def test_a_doubt_outlives_further_readings():
    assert doubted(OURS, READ, replace(READ, quantity=4)) == OURS


@pytest.mark.parametrize(
    ("case", "change", "drift"),
    [
        ("nothing else happened", Change(0, moment(5)), -2),
        ("two were sold before the reading", Change(2, moment(5)), 0),
        ("two were sold after it", Change(2, moment(15)), -2),
        ("one was cancelled and put back before it", Change(-1, moment(5)), -3),
    ],
)
def test_orders_move_what_was_believed_and_what_was_read_each_by_its_time(case, change, drift):
    believed, seen = (after_change(each, change, restocks=True) for each in (OURS, READ))
    assert units(believed, seen) == drift, case


@pytest.mark.parametrize(
    ("case", "doubt", "base", "asked", "over"),
    [
        ("undecided", OURS, READ, False, False),
        ("a person is asked", OURS, READ, True, False),
        ("nobody can tell what it should read", replace(OURS, quantity=None), READ, True, True),
        ("nobody knows what it reads", OURS, replace(READ, quantity=None), True, True),
        ("asked, and it was put back at the mall", OURS, replace(READ, quantity=5), True, True),
        ("asked, and it is what it should be by now", OURS, replace(READ, quantity=9), True, True),
        ("not asked yet: the orders decide", OURS, replace(READ, quantity=5), False, False),
    ],
)
def test_when_a_doubt_is_over(case, doubt, base, asked, over):
    assert is_over(doubt, base, 9, asked=asked) is over, case


@pytest.mark.parametrize(
    ("case", "sellable", "minimum", "maximum", "shows"),
    [
        ("all of it", 7, None, None, True),
        ("none is left", 0, None, None, True),
        ("oversold", -1, None, None, False),
        ("under the maximum", 7, None, 9, True),
        ("cut by the maximum", 9, None, 5, False),
        ("hidden by the minimum", 2, 3, None, False),
        ("above what the mall counts", 101, None, None, False),
    ],
)
def test_whether_a_number_says_how_many_there_are(case, sellable, minimum, maximum, shows):
    assert shows_its_total(sellable, minimum, maximum, 100) is shows, case


SURE = {"takeable": True, "not_applied": False, "counted_since": False}
OURS_WINS, THEIRS, ASK = DriftPolicy.OURS_WINS, DriftPolicy.TAKE_THEIRS, DriftPolicy.ASK


@pytest.mark.parametrize(
    ("case", "policy", "drift", "facts", "decided"),
    [
        ("orders explain it", THEIRS, 0, {}, Verdict.EXPLAINED),
        ("ours wins", OURS_WINS, 2, {}, Verdict.OURS),
        ("theirs is taken", THEIRS, 2, {}, Verdict.THEIRS),
        ("a fall too", THEIRS, -2, {}, Verdict.THEIRS),
        ("a person is asked", ASK, 2, {}, Verdict.ASK),
        ("a rule stands between", THEIRS, 2, {"takeable": False}, Verdict.ASK),
        ("our number was never written", THEIRS, 2, {"not_applied": True}, Verdict.OURS),
        ("nobody is asked about that", ASK, 2, {"not_applied": True}, Verdict.OURS),
        ("it was counted since", THEIRS, 2, {"counted_since": True}, Verdict.OURS),
        ("whoever is asked is asked all the same", ASK, 2, {"counted_since": True}, Verdict.ASK),
    ],
)
def test_what_becomes_of_a_drift(case, policy, drift, facts, decided):
    assert verdict(policy, drift, **SURE | facts) is decided, case
