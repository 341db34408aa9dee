"""What comes next with a feed that is open."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model.feeds import LEAST_LOOKS, FeedFacts, FeedRowState, Step, next_step
from domain.model.malls import FeedLimits

SENT, ACCEPTED = FeedRowState.SENT, FeedRowState.ACCEPTED
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LIMITS = FeedLimits(
    most=25_000, least=1_000, above=5, look_every=timedelta(seconds=15), lost_after=HOUR
)


@pytest.mark.parametrize(
    ("case", "state", "items", "looks", "age", "shop", "step"),
    [
        ("nothing in it yet", SENT, 0, 0, MINUTE, {}, Step.PUT_TOGETHER),
        ("and nothing may go out any more", SENT, 0, 0, MINUTE, {"may_send": False}, Step.DROP),
        ("its worker died before the mall had it, or after", SENT, 9, 0, MINUTE, {}, Step.GIVE_UP),
        ("so too while the shop stands still", SENT, 9, 0, MINUTE, {"may_ask": False}, Step.GIVE_UP),
        ("the mall has it", ACCEPTED, 9, 0, MINUTE, {}, Step.ASK),
        ("the mall has it, and nothing else goes out", ACCEPTED, 9, 0, MINUTE, {"may_send": False}, Step.ASK),
        ("a shop that stands still, or is left alone, is not asked for", ACCEPTED, 9, 9, 2 * HOUR, {"may_ask": False}, Step.WAIT),
        ("not ended within the hour", ACCEPTED, 9, LEAST_LOOKS, HOUR, {}, Step.GIVE_UP),
        ("the hour is not over", ACCEPTED, 9, 99, HOUR - MINUTE, {}, Step.ASK),
        ("nobody asked often enough", ACCEPTED, 9, LEAST_LOOKS - 1, 9 * HOUR, {}, Step.ASK),
        ("a mall that is in a hurry", ACCEPTED, 9, LEAST_LOOKS, HOUR / 10, {"speed": 10.0}, Step.GIVE_UP),
        ("a shop that is not in use", ACCEPTED, 9, 0, MINUTE, {"in_use": False}, Step.LET_GO),
    ],
)  # fmt: skip
def test_what_comes_next(
    case: str,
    state: FeedRowState,
    items: int,
    looks: int,
    age: timedelta,
    shop: dict[str, bool],
    step: Step,
) -> None:
    usual = {"in_use": True, "may_send": True, "may_ask": True, "speed": 1.0}
    facts = FeedFacts(state, items, looks, NOW - age)

    assert next_step(facts, LIMITS, **usual | shop, now=NOW) is step, case  # type: ignore[arg-type]
