"""Token buckets, blocks and daily counts."""

import pytest

from integrations.sandbox.clock import Clock
from integrations.sandbox.limits import Limit, Limits
from tests.integrations.sandbox.rig import Hand

ONE_A_SECOND = Limit("write", rate=1)


@pytest.mark.parametrize(
    ("case", "limit", "speed", "gaps", "passed"),
    [
        ("one a second", ONE_A_SECOND, 1, [0, 1, 1], [True, True, True]),
        ("the second within a second", ONE_A_SECOND, 1, [0, 0.5, 0.5], [True, False, True]),
        ("a little early still passes", ONE_A_SECOND, 1, [0, 0.92], [True, True]),
        ("but not always", ONE_A_SECOND, 1, [0, 0.92, 0.92], [True, True, False]),
        ("a burst", Limit("read", rate=1, burst=3), 1, [0] * 4, [True, True, True, False]),
        ("ten times as fast", ONE_A_SECOND, 10, [0, 0.1, 0.05], [True, True, False]),
        ("ways differ at any speed", ONE_A_SECOND, 60, [0, 0.0], [True, True]),
        ("and a debt is a debt", ONE_A_SECOND, 60, [0, 0, 0, 0], [True, True, False, False]),
        ("speed 0 lifts limits", ONE_A_SECOND, 0, [0] * 3, [True, True, True]),
        (
            "an excess blocks for a while",
            Limit("block", rate=1, block=30),
            1,
            [0, 0.1, 2, 29],
            [True, False, False, True],
        ),
    ],
)
def test_which_calls_pass(case, limit, speed, gaps, passed):
    hand = Hand()
    limits = Limits(Clock(speed, hand))
    answers = []
    for gap in gaps:
        hand.move(seconds=gap)
        answers.append(limits.take("shop", limit))
    assert answers == passed, case


def test_shops_do_not_share_a_bucket_and_operations_of_one_name_do():
    limits = Limits(Clock(1, Hand()))
    assert limits.take("a", ONE_A_SECOND)
    assert limits.take("b", ONE_A_SECOND)
    assert not limits.take("a", Limit("write", rate=1))


def test_a_day_ends_at_japanese_midnight():
    hand = Hand()
    limits = Limits(Clock(1, hand))
    assert [limits.take_of_day("app", 2) for _ in range(3)] == [True, True, False]
    hand.move(hours=12)
    assert limits.take_of_day("app", 2)
