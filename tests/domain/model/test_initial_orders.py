"""Which orders of an initial fetch are out of the totals already."""

from datetime import datetime, timedelta

import pytest

from domain.model.errors import DomainError
from domain.model.initial_orders import InitialOrderMode, InitialOrders, check_since
from tests.domain.services.rows import NOW

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
SINCE = NOW - 10 * DAY


@pytest.mark.parametrize(
    ("case", "mode", "placed_at", "expected"),
    [
        ("baseline: from the time asked for", "BASELINE", NOW - DAY, True),
        ("baseline: older, changed since", "BASELINE", SINCE - DAY, True),
        ("baseline: in the second of the asking, in doubt", "BASELINE", NOW, None),
        ("baseline: since then as any order", "BASELINE", NOW + DAY, None),
        ("apply: from the time asked for", "APPLY", SINCE, False),
        ("apply: placed after the asking", "APPLY", NOW + DAY, False),
        ("apply: older, changed since", "APPLY", SINCE - DAY, True),
    ],
)
def test_is_baseline(case: str, mode: str, placed_at: datetime, expected: bool | None) -> None:
    asked = InitialOrders(InitialOrderMode(mode), SINCE, NOW)

    assert asked.is_baseline(placed_at, SECOND) is expected, case


@pytest.mark.parametrize("since", [NOW, NOW - 365 * DAY])
def test_orders_can_be_asked_for_from_then_on(since: datetime) -> None:
    check_since(since, NOW)


@pytest.mark.parametrize("since", [NOW + SECOND, NOW - 367 * DAY])
def test_orders_cannot_be_asked_for_from_the_future_or_too_long_ago(since: datetime) -> None:
    with pytest.raises(DomainError) as refused:
        check_since(since, NOW)

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("since",))
