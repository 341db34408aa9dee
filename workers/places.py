"""Places in a mall's queue, taken before it is decided which numbers go out.

A number so waits in its row, where a newer one replaces it and a more urgent one overtakes it; a call that was claimed
goes out at once. Between the place and the call lies the claim, now longer and now shorter: what the mall counts are the
calls, so those keep the distance that its limit asks for.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta

from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, Throttle
from workers.throttle import at_once


@dataclass(slots=True)
class Places:
    """So many calls may draw from these buckets without waiting."""

    buckets: tuple[Bucket, ...]
    left: int

    def give(self, buckets: tuple[Bucket, ...]) -> bool:
        if buckets != self.buckets or self.left == 0:
            return False
        self.left -= 1
        return True


_held: ContextVar[Places | None] = ContextVar("held", default=None)


@contextmanager
def holding(places: Places) -> Iterator[None]:
    """Calls made inside use these places up before they wait for others."""
    before = _held.set(places)
    try:
        yield
    finally:
        _held.reset(before)


@dataclass(frozen=True, slots=True)
class Queue:
    """Keeps domain.model.malls.Throttle, over the throttle of one shop. `speed`: how much faster than the real mall a
    sandbox shop runs."""

    throttle: Throttle
    speed: float = 1.0
    _full_at: dict[str, float] = field(default_factory=dict)
    """When each bucket would be full again, by the calls that went out on held places (seconds of the loop's clock)."""

    async def take(self, *buckets: Bucket) -> None:
        held = _held.get()
        if held is None or not held.give(buckets):
            await self.throttle.take(*buckets)
        else:
            await asyncio.sleep(max(self._distance(bucket) for bucket in buckets))

    def _distance(self, bucket: Bucket) -> float:
        """Seconds until the next call may go out."""
        gap, now = 1 / (bucket.rate * self.speed), asyncio.get_running_loop().time()
        full_at = max(self._full_at.get(bucket.name, now), now) + gap
        self._full_at[bucket.name] = full_at
        return max(0.0, full_at - now - bucket.burst * gap)

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        await self.throttle.told_to_wait(bucket, retry_after)

    async def places(self, buckets: tuple[Bucket, ...], at_most: int) -> Places:
        """Waits for one, and takes what else there is at once. Raises MallThrottled, as `take` does."""
        await self.throttle.take(*buckets)
        found = 1
        with at_once():
            while found < at_most and await self._is_free(buckets):
                found += 1
        return Places(buckets, found)

    async def _is_free(self, buckets: tuple[Bucket, ...]) -> bool:
        try:
            await self.throttle.take(*buckets)
        except MallThrottled:
            return False
        return True
