"""How often a mall may be asked: token buckets, blocks after excess, and calls counted by the day."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from integrations.sandbox.clock import Clock

JST = timezone(timedelta(hours=9))
SLACK = 0.1
"""A call that arrives this part of a token early still passes (two calls' ways differ); the debt stays in the bucket."""
UNSTEADY_SECONDS = 0.03
"""By so much of real time two calls' ways differ at any speed; where the clock goes fast that is more than SLACK."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` calls per second, `burst` at once; after an excess nothing passes for `block` seconds.

    Calls that share `name` share the bucket.
    """

    name: str
    rate: float
    burst: int = 1
    block: float = 0.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime
    blocked_until: datetime | None = None


@dataclass(slots=True)
class _Day:
    name: str
    calls: int = 0


@dataclass(slots=True)
class Limits:
    """One bucket for each (key, limit). Rates are multiplied by the clock's speed; speed 0 lifts every limit."""

    clock: Clock
    _buckets: dict[Hashable, _Bucket] = field(default_factory=dict)
    _days: dict[Hashable, _Day] = field(default_factory=dict)

    def take(self, key: Hashable, limit: Limit) -> bool:
        """Draws one call of `key` from its bucket. False: the mall says "too many"."""
        if not self.clock.speed:
            return True
        now = self.clock.now()
        bucket = self._buckets.setdefault((key, limit.name), _Bucket(limit.burst, now))
        if bucket.blocked_until is not None and now < bucket.blocked_until:
            return False
        self._refill(bucket, limit, now)
        return self._draw(bucket, limit)

    def take_of_day(self, key: Hashable, per_day: int) -> bool:
        """Counts one call of `key` on today's Japanese calendar day. False: the day's calls are spent."""
        today = self.clock.now().astimezone(JST).date().isoformat()
        day = self._days.setdefault(key, _Day(today))
        if day.name != today:
            day.name, day.calls = today, 0
        day.calls += 1
        return not self.clock.speed or day.calls <= per_day * self.clock.speed

    def _refill(self, bucket: _Bucket, limit: Limit, now: datetime) -> None:
        passed = (now - bucket.at).total_seconds()
        bucket.tokens = min(limit.burst, bucket.tokens + passed * limit.rate * self.clock.speed)
        bucket.at = now

    def _draw(self, bucket: _Bucket, limit: Limit) -> bool:
        slack = max(SLACK, UNSTEADY_SECONDS * limit.rate * self.clock.speed)
        if bucket.tokens < 1 - slack:
            if limit.block:
                bucket.blocked_until = self.clock.after(limit.block)
            return False
        bucket.tokens -= 1
        return True
