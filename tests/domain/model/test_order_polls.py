"""Each shop has a moment of its own in the interval at which it is asked for orders."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis.strategies import datetimes, integers, just, uuids

from domain.model.order_polls import BEGINNING, PARTS, SOONEST, next_poll

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
AT_HALF = UUID(int=PARTS // 2)


@pytest.mark.parametrize(
    ("case", "now", "expected"),
    [
        ("switched on long before its moment", 5, 30),
        ("switched on shortly before it", 23, 30),
        ("polled at its moment", 30, 90),
        ("polled a little before it, by another clock", 29.9, 90),
        ("polled late", 50, 90),
    ],
)
def test_the_next_poll_is_at_the_shops_own_moment(case: str, now: float, expected: float) -> None:
    found = next_poll(AT_HALF, MINUTE, NOON + now * SECOND)

    assert found == NOON + expected * SECOND, case


def test_shops_that_were_switched_on_together_ask_one_after_the_other() -> None:
    shops = [UUID(int=PARTS // 20 * nth) for nth in range(20)]

    at = sorted(next_poll(shop, MINUTE, NOON) for shop in shops)

    assert max(later - earlier for earlier, later in pairwise(at)) < MINUTE / 19


@given(
    uuids(),
    integers(1, 3_600),
    datetimes(BEGINNING.replace(tzinfo=None), NOON.replace(tzinfo=None), timezones=just(UTC)),
)
def test_who_is_asked_at_its_moment_is_asked_once_in_each_interval(
    shop_id: UUID, seconds: int, now: datetime
) -> None:
    every = timedelta(seconds=seconds)

    at = next_poll(shop_id, every, now)

    assert every * SOONEST <= at - now <= every * (1 + SOONEST)
    assert next_poll(shop_id, every, at) == at + every
