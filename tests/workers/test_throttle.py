"""What a mall allows, shared by all workers: a fifth of a day is kept for orders and zeros, and what one is told all heed."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

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


MIDNIGHT = datetime(2026, 11, 22, 15, tzinfo=UTC)
"""Of Japan."""


@pytest.mark.parametrize(
    ("passed", "more"),
    [
        (timedelta(hours=23, minutes=59), 0),
        (timedelta(hours=24), 8),
    ],
)
async def test_a_day_of_calls_is_a_day_of_japan(
    throttle: StoredThrottle, of_a_day: Bucket, passed: timedelta, more: int
) -> None:
    await used_up(replace(throttle, now=lambda: MIDNIGHT), of_a_day)

    assert await used_up(replace(throttle, now=lambda: MIDNIGHT + passed), of_a_day) == more


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("scope", "shop", "application", "waits"),
    [
        (BucketScope.SELLER, "tea", "app", True),
        (BucketScope.SELLER, "coffee", "app", False),
        (BucketScope.APPLICATION, "coffee", "app", True),
        (BucketScope.APPLICATION, "tea", "another", False),
        (BucketScope.ADDRESS, "coffee", "another", True),
    ],
)
async def test_what_one_worker_is_told_all_heed(
    db: Database, scope: BucketScope, shop: str, application: str, waits: bool
) -> None:
    """As far as the limit reaches: a shop, an application, an address. Zeros wait too: the mall would say no again."""
    bucket = Bucket(f"told-{secrets.token_hex(6)}", rate=100, burst=100, scope=scope)
    one, other = StoredThrottle(db, "tea", "app"), StoredThrottle(db, shop, application)
    await one.take(bucket)

    await one.told_to_wait(bucket, HOUR)

    with urgent():
        told = await _told_by(other, bucket)
    if waits:
        assert told is not None
        assert told.by_us
        assert told.retry_after is not None
        assert HOUR - timedelta(minutes=1) < told.retry_after <= HOUR
    else:
        assert told is None


async def _told_by(throttle: StoredThrottle, bucket: Bucket) -> MallThrottled | None:
    """Why a call may not go out; None: it may."""
    try:
        await throttle.take(bucket)
    except MallThrottled as error:
        return error
    return None
