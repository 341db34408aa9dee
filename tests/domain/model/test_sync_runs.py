"""What a run came to, and which runs are told as one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.model.sync_runs import Run, RunOutcome, ended, goes_on, together

T0 = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OK, PARTIAL, FAILED = RunOutcome.OK, RunOutcome.PARTIAL, RunOutcome.FAILED
ONE, OTHER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("case", "counts", "expected"),
    [
        ("all numbers stand", {"sent": 3}, OK),
        ("orders came", {"taken": 2}, OK),
        ("one of three is refused", {"sent": 3, "refused": 1}, PARTIAL),
        ("all are refused", {"sent": 2, "refused": 2}, FAILED),
        ("one call of two failed", {"sent": 5, "failed": 4}, PARTIAL),
        ("some are refused, the rest failed", {"sent": 5, "refused": 1, "failed": 4}, FAILED),
        ("a page came, then a call failed", {"taken": 2, "broken": True}, PARTIAL),
        ("nothing came but a failure", {"broken": True}, FAILED),
        ("every order is unreadable", {"taken": 1, "refused": 1}, FAILED),
    ],
)
def test_how_a_run_ends(case: str, counts: dict[str, Any], expected: RunOutcome):
    run = ended(Run(T0, **counts), T0 + SECOND)
    assert (run.outcome, run.ended_at) == (expected, T0 + SECOND), case


@pytest.mark.parametrize(
    ("counts", "nothing"),
    [({}, True), ({"sent": 1}, False), ({"taken": 1}, False), ({"broken": True}, False)],
)
def test_a_run_that_did_nothing(counts: dict[str, Any], nothing: bool):
    assert Run(T0, **counts).did_nothing is nothing


def a_run(outcome: RunOutcome, begins: timedelta, lasts: timedelta = SECOND, **more: Any) -> Run:
    return Run(T0 + begins, outcome, T0 + begins + lasts, **more)


@pytest.mark.parametrize(
    ("case", "before", "run", "one"),
    [
        ("good ones at once", a_run(OK, 0 * SECOND), a_run(OK, 2 * SECOND), True),
        ("good ones a minute apart", a_run(OK, -SECOND), a_run(OK, MINUTE), True),
        ("good ones further apart", a_run(OK, -SECOND), a_run(OK, MINUTE + SECOND), False),
        (
            "good ones, ten minutes",
            a_run(OK, 0 * SECOND, 9 * MINUTE),
            a_run(OK, 599 * SECOND),
            True,
        ),
        ("good ones, longer", a_run(OK, 0 * SECOND, 9 * MINUTE), a_run(OK, 600 * SECOND), False),
        ("good after bad", a_run(FAILED, 0 * SECOND), a_run(OK, 2 * SECOND), False),
        ("bad after good", a_run(OK, 0 * SECOND), a_run(FAILED, 2 * SECOND), False),
        ("neither", a_run(PARTIAL, 0 * SECOND), a_run(PARTIAL, 2 * SECOND), False),
        (
            "one cause, hours apart",
            a_run(FAILED, 0 * SECOND, error_id=ONE),
            a_run(FAILED, 300 * MINUTE, error_id=ONE),
            True,
        ),
        (
            "two causes",
            a_run(FAILED, 0 * SECOND, error_id=ONE),
            a_run(FAILED, 2 * SECOND, error_id=OTHER),
            False,
        ),
    ],
)
def test_which_runs_are_one(case: str, before: Run, run: Run, one: bool):
    assert goes_on(before, run) is one, case


def test_two_as_one_have_the_counts_of_both():
    before = a_run(OK, 0 * SECOND, sent=1, taken=2, refused=3, failed=4, turns=5)
    run = a_run(OK, MINUTE, sent=10, taken=20, refused=30, failed=40)

    assert together(before, run) == Run(
        T0, OK, run.ended_at, sent=11, taken=22, refused=33, failed=44, turns=6
    )
