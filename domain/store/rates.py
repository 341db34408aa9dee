"""What the malls still allow: token buckets that every worker on every host draws from (DESIGN §2.6).

A caller reserves its place: the bucket may go into debt, and the caller waits until its token would have been there. So
nobody polls, and places are kept in order.
"""

from datetime import datetime, timedelta

from sqlalchemy import text

from domain.store.database import Database
from domain.store.haste import HURRIES

RESERVE = text(
    f"""
    INSERT INTO rate_buckets AS b (key, tokens, updated_at, day, used_today)
    VALUES (:key, cast(:burst AS float) - 1, clock_timestamp(), :today, 1)
    ON CONFLICT (key) DO UPDATE SET
        tokens = least(cast(:burst AS float), b.tokens + cast(:rate AS float) * extract(epoch FROM clock_timestamp() - b.updated_at)) - 1,
        updated_at = clock_timestamp(), day = :today,
        used_today = CASE b.day WHEN :today THEN b.used_today + 1 ELSE 1 END
    WHERE least(cast(:burst AS float), b.tokens + cast(:rate AS float) * extract(epoch FROM clock_timestamp() - b.updated_at)) - 1
            >= - cast(:rate AS float) * cast(:patience AS float)
        AND (b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp())
        AND (cast(:per_day AS int) IS NULL OR b.day <> :today OR b.used_today < :per_day)
    RETURNING greatest(0, - tokens / cast(:rate AS float)) AS wait, {HURRIES}
    """  # noqa: S608  constants
)

REFUSED = text(
    """
    SELECT greatest(1 / cast(:rate AS float), coalesce(extract(epoch FROM blocked_until - clock_timestamp()), 0),
        - (tokens + cast(:rate AS float) * extract(epoch FROM clock_timestamp() - updated_at)) / cast(:rate AS float)) AS wait
    FROM rate_buckets WHERE key = :key
    """
)

BLOCK = text(
    f"""
    INSERT INTO rate_buckets AS b (key, tokens, blocked_until) VALUES (:key, 0, clock_timestamp() + :length)
    ON CONFLICT (key) DO UPDATE SET tokens = least(b.tokens, 0), updated_at = clock_timestamp(),
        blocked_until = greatest(b.blocked_until, excluded.blocked_until)
    RETURNING {HURRIES}
    """  # noqa: S608  constants
)


FORGET = text(
    """
    DELETE FROM rate_buckets WHERE key IN (
        SELECT key FROM rate_buckets
        WHERE updated_at < :before AND coalesce(blocked_until < clock_timestamp(), true)
        LIMIT :at_most FOR UPDATE SKIP LOCKED)
    """
)


class TooLong(Exception):
    """The wait would outlast the caller's patience; nothing was reserved."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"the bucket is empty for {wait}")
        self.wait = wait


async def reserve(
    db: Database,
    key: str,
    *,
    rate: float,
    burst: int,
    per_day: int | None,
    today: str,
    patience: timedelta,
) -> timedelta:
    """How long to wait before calling. `rate`: calls a second. Raises TooLong."""
    parameters = {
        "key": key,
        "rate": rate,
        "burst": float(burst),
        "per_day": per_day,
        "today": today,
        "patience": patience.total_seconds(),
    }
    async with db.connection() as connection:
        wait = await connection.scalar(RESERVE, parameters)
        if wait is None:
            refused = await connection.scalar(REFUSED, {"key": key, "rate": rate})
            raise TooLong(timedelta(seconds=float(refused or 1 / rate)))
    return timedelta(seconds=float(wait))


async def forget(db: Database, *, before: datetime, at_most: int) -> None:
    """Buckets that nobody drew from since: they are full again, as one that is not there."""
    async with db.connection() as connection:
        await connection.execute(FORGET, {"before": before, "at_most": at_most})


async def block(db: Database, key: str, length: timedelta) -> None:
    """Nobody draws from the bucket for so long."""
    async with db.connection() as connection:
        await connection.execute(BLOCK, {"key": key, "length": length})
