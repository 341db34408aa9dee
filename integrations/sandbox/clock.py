"""The malls' time: real UTC, with the malls' delays shortened by the sandbox's speed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def real_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`speed` 1 runs as the real malls do, 60 makes a minute's delay a second; 0 lifts limits and delays."""

    speed: float = 1.0
    read: Callable[[], datetime] = real_now

    def now(self) -> datetime:
        return self.read()

    def after(self, seconds: float) -> datetime:
        """The moment that lies a mall's delay of `seconds` ahead."""
        return self.now() + self.delay(seconds)

    def delay(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds / self.speed) if self.speed else timedelta(0)
