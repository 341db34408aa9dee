"""A shop's share of the malls' limits, drawn from the buckets in the store.

A fifth of what a mall allows in a day is kept for orders and zeros (DESIGN §2.6): whatever else is sent ends before.
A mall's day is Japan's: counted by another one, two days' calls would fall into one of the mall's.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from domain.model.clocks import Now, own_time
from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, BucketScope
from domain.store import rates
from domain.store.database import Database
from integrations.jst import JST

PATIENCE = timedelta(seconds=8)
LIFTED = 1_000.0
"""Calls a second from which on a limit is none: only a sandbox in a hurry has it."""

KEPT_SHARE = 0.2

_urgent: ContextVar[bool] = ContextVar("urgent", default=False)
_patience: ContextVar[timedelta] = ContextVar("patience", default=PATIENCE)


@contextmanager
def urgent(on: bool = True) -> Iterator[None]:
    """Calls made inside may draw on what is kept of a day: orders, and batches with a zero among them."""
    before = _urgent.set(on)
    try:
        yield
    finally:
        _urgent.reset(before)


@contextmanager
def waiting_for(longest: timedelta) -> Iterator[None]:
    """Calls made inside wait for their place so long at most."""
    before = _patience.set(longest)
    try:
        yield
    finally:
        _patience.reset(before)


@contextmanager
def at_once() -> Iterator[None]:
    """Calls made inside are let through now or refused."""
    with waiting_for(timedelta(0)):
        yield


def patience() -> timedelta:
    """For how long whoever calls now waits for a place."""
    return _patience.get()


@dataclass(frozen=True, slots=True)
class StoredThrottle:
    """Keeps domain.model.malls.Throttle. `speed`: how much faster than the real mall a sandbox shop runs."""

    db: Database
    shop: str
    application: str
    speed: float = 1.0
    now: Now = own_time

    async def take(self, *buckets: Bucket) -> None:
        """Waits for a place in each bucket. Raises MallThrottled when that would outlast PATIENCE."""
        wait = timedelta(0)
        for bucket in buckets:
            wait = max(wait, await self._reserve(bucket))
        if wait:
            await asyncio.sleep(wait.total_seconds())

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        await rates.block(self.db, self._key(bucket), retry_after / self.speed)

    async def _reserve(self, bucket: Bucket) -> timedelta:
        if bucket.rate * self.speed >= LIFTED:
            return timedelta(0)
        try:
            return await rates.reserve(
                self.db,
                self._key(bucket),
                rate=bucket.rate * self.speed,
                burst=bucket.burst,
                per_day=_of_day(bucket),
                today=self.now().astimezone(JST).date().isoformat(),
                patience=patience(),
            )
        except rates.TooLong as error:
            raise MallThrottled(
                f"The limit {bucket.name} is used up for {error.wait}.",
                retry_after=error.wait,
                by_us=True,
            ) from error

    def _key(self, bucket: Bucket) -> str:
        match bucket.scope:
            case BucketScope.SELLER:
                return f"{bucket.name}:{self.shop}"
            case BucketScope.APPLICATION:
                return f"{bucket.name}:{hashlib.sha256(self.application.encode()).hexdigest()[:16]}"
            case BucketScope.ADDRESS:
                return bucket.name


def _of_day(bucket: Bucket) -> int | None:
    """How many calls of the day whoever asks now may use up."""
    if bucket.per_day is None or _urgent.get():
        return bucket.per_day
    return int(bucket.per_day * (1 - KEPT_SHARE))
