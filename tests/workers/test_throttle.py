"""A fifth of what a mall allows in a day is kept for orders and zeros."""

import secrets

import pytest

from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, BucketScope
from domain.store.database import Database
from workers.throttle import StoredThrottle, urgent

A_DAY = 10


@pytest.fixture
def throttle(db: Database) -> StoredThrottle:
    return StoredThrottle(db, secrets.token_hex(6), "app")


@pytest.fixture
def of_a_day() -> Bucket:
    name = f"day-{secrets.token_hex(6)}"
    return Bucket(name, rate=100, burst=100, scope=BucketScope.APPLICATION, per_day=A_DAY)


async def used_up(throttle: StoredThrottle, bucket: Bucket) -> int:
    """How many calls are let through before the day's limit says no."""
    for calls in range(A_DAY + 1):
        try:
            await throttle.take(bucket)
        except MallThrottled:
            return calls
    raise AssertionError("the day has no end")


async def test_ordinary_calls_end_before_the_day_does(
    throttle: StoredThrottle, of_a_day: Bucket
) -> None:
    assert await used_up(throttle, of_a_day) == 8


async def test_orders_and_zeros_use_what_was_kept_for_them(
    throttle: StoredThrottle, of_a_day: Bucket
) -> None:
    await used_up(throttle, of_a_day)

    with urgent():
        assert await used_up(throttle, of_a_day) == 2
    with urgent(False), pytest.raises(MallThrottled):
        await throttle.take(of_a_day)
