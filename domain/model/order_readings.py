"""How an order was read last, and what of it need not be asked for, or written, again.

Windows overlap, so most of what an order list shows is known already. What is remembered is kept with the order: it is as
true after a restart, for any other worker, and after a restore as the order is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

STAMP = timedelta(seconds=2)
"""Time stamps are whole seconds, and so is the mall's time of an answer."""


@dataclass(frozen=True, slots=True)
class LastRead:
    """`observed_at`: the mall's time when it was asked for. `updated_at`: when the mall said that it had been updated; None
    where it does not say. `fingerprint`: of what it said."""

    observed_at: datetime
    updated_at: datetime | None
    fingerprint: int

    @property
    def is_sure(self) -> bool:
        """It was not updated once more within the second of its update, after it was read."""
        return self.updated_at is None or _is_over(self.updated_at, self.observed_at)


Recall = Callable[[Sequence[str]], Awaitable[Mapping[str, LastRead]]]
"""How orders were read last, by number; those that are not known, or could not be read, are left out."""


async def nothing_known(_: Sequence[str]) -> Mapping[str, LastRead]:
    return {}


def need_not_be_read(
    last: LastRead | None, updated_at: datetime | None, asked_at: datetime
) -> bool:
    """Of an order that a list, asked for at `asked_at`, shows with this time of its last update.

    What was read within the second of its update is read once more when that is over, and not before.
    """
    if last is None or updated_at is None or last.updated_at != updated_at:
        return False
    return last.is_sure or not _is_over(updated_at, asked_at)


def is_worth_noting(last: LastRead, observed_at: datetime, within: timedelta) -> bool:
    """It says what it said: is it noted that it does so still? Once in a while: by how long ago it was seen is decided
    when it changed, and whether it is asked for by its number."""
    is_old = last.observed_at < observed_at - within
    return is_old or (not last.is_sure and last.observed_at < observed_at)


def _is_over(updated_at: datetime, at: datetime) -> bool:
    return updated_at + STAMP < at
