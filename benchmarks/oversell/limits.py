"""The malls' limits as our side keeps them, in virtual time: the rule of workers/throttle.py and domain/store/rates.py.

A caller reserves its place and waits until its token would have been there, as long as that is within its patience. Days are
counted whole: no fifth is kept back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, BucketScope
from domain.store.shops import Shop
from workers.throttle import patience


@dataclass(slots=True)
class _Level:
    tokens: float
    at: datetime
    blocked_until: datetime
    day: str = ""
    used_today: int = 0


@dataclass(slots=True)
class Buckets:
    """Of one arm of the comparison, by whose they are."""

    now: Callable[[], datetime]
    _levels: dict[str, _Level] = field(default_factory=dict)

    def reserve(self, key: str, bucket: Bucket) -> timedelta:
        """How long to wait before calling. Raises MallThrottled, and has reserved nothing."""
        level, now = self._level(key, bucket), self.now()
        debt = 1 - level.tokens
        wait = timedelta(seconds=max(0.0, debt / bucket.rate))
        if wait > patience() or level.blocked_until > now or not _in_day(level, bucket, now):
            rest = max(wait, level.blocked_until - now, timedelta(seconds=1 / bucket.rate))
            raise MallThrottled("The limit is used up.", retry_after=rest, by_us=True)
        level.tokens -= 1
        level.used_today += 1
        return wait

    def block(self, key: str, bucket: Bucket, rest: timedelta) -> None:
        level = self._level(key, bucket)
        level.tokens = min(level.tokens, 0.0)
        level.blocked_until = max(level.blocked_until, self.now() + rest)

    def _level(self, key: str, bucket: Bucket) -> _Level:
        now = self.now()
        level = self._levels.setdefault(key, _Level(bucket.burst, now, now))
        gained = (now - level.at).total_seconds() * bucket.rate
        level.tokens, level.at = min(float(bucket.burst), level.tokens + gained), now
        return level


def _in_day(level: _Level, bucket: Bucket, now: datetime) -> bool:
    today = now.date().isoformat()
    if level.day != today:
        level.day, level.used_today = today, 0
    return bucket.per_day is None or level.used_today < bucket.per_day


@dataclass(frozen=True, slots=True)
class VirtualThrottle:
    """Keeps domain.model.malls.Throttle."""

    buckets: Buckets
    shop: str
    application: str

    async def take(self, *buckets: Bucket) -> None:
        waits = [self.buckets.reserve(self._key(bucket), bucket) for bucket in buckets]
        await asyncio.sleep(max(waits, default=timedelta(0)).total_seconds())

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        self.buckets.block(self._key(bucket), bucket, retry_after)

    def _key(self, bucket: Bucket) -> str:
        whose = {BucketScope.SELLER: self.shop, BucketScope.APPLICATION: self.application}
        return f"{bucket.name}:{whose.get(bucket.scope, '')}"


class NoLimits:
    """Keeps domain.model.malls.Throttle: nothing ever waits."""

    async def take(self, *buckets: Bucket) -> None:
        await asyncio.sleep(0)

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        raise AssertionError(f"A mall without limits refused {bucket.name}.")


def throttles(now: Callable[[], datetime], *, limits: bool) -> Callable[[Shop, str], "AnyThrottle"]:
    buckets = Buckets(now)

    def of(shop: Shop, application: str) -> AnyThrottle:
        return VirtualThrottle(buckets, str(shop.id), application) if limits else NoLimits()

    return of


AnyThrottle = VirtualThrottle | NoLimits
