"""Which PostgreSQL this is: a restore or a failover makes it another one, or takes it back to an earlier time (DESIGN §2.15)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from domain.store.database import Database

LOOK = text(
    """
    SELECT i.seen_at, clock_timestamp() AS now, coalesce(
        (i.system_identifier, i.timeline) <> (here.system_identifier::text, renkei_timeline()), false) AS moved
    FROM pg_control_system() here LEFT JOIN installation i ON true
    """
)

BEGIN = text(
    """
    INSERT INTO installation (system_identifier, timeline)
    SELECT here.system_identifier::text, renkei_timeline() FROM pg_control_system() here
    ON CONFLICT (only_one) DO NOTHING
    """
)

DOUBTED = "UPDATE rate_buckets SET tokens = least(tokens, 1), updated_at = clock_timestamp()"
"""What was called since the backup is forgotten: of each limit no more than one call is believed to be free."""

SEEN = text("UPDATE installation SET seen_at = greatest(seen_at, clock_timestamp())")

NOTICE = text(
    f"""
    WITH moved AS (
        UPDATE installation i SET system_identifier = here.system_identifier::text, timeline = renkei_timeline(),
            seen_at = greatest(clock_timestamp(), cast(:before AS timestamptz))
        FROM pg_control_system() here
        WHERE i.system_identifier <> here.system_identifier::text OR i.timeline <> renkei_timeline()
            OR i.seen_at < cast(:before AS timestamptz)
        RETURNING least(old.seen_at, clock_timestamp()) - cast(:loss AS interval) AS since),
    doubted AS ({DOUBTED} WHERE EXISTS (SELECT FROM moved))
    SELECT since, renkei_resync_all(since) AS accounts FROM moved
    """  # noqa: S608
)

RESYNC_ALL = text(f"WITH doubted AS ({DOUBTED}) SELECT renkei_resync_all(:since)")


@dataclass(frozen=True, slots=True)
class Installation:
    """`seen_at`: when the database was known to be this one last, by its own clock; None: nobody has noted it yet.
    `moved`: it is another one since."""

    seen_at: datetime | None
    now: datetime
    moved: bool


@dataclass(frozen=True, slots=True)
class Noticed:
    """From `since` on something may be lost, and so many `accounts` are to be looked at anew."""

    since: datetime
    accounts: int


async def look(db: Database) -> Installation:
    async with db.connection() as connection:
        return Installation(**(await connection.execute(LOOK)).one()._mapping)


async def begin(db: Database) -> None:
    """The first to look notes which database it is."""
    async with db.connection() as connection:
        await connection.execute(BEGIN)


async def seen(db: Database) -> None:
    async with db.connection() as connection:
        await connection.execute(SEEN)


async def notice(db: Database, *, before: datetime | None, loss: timedelta) -> Noticed | None:
    """Notes which database it is now and marks every account, in one step. `before`: until when somebody remembers to
    have seen it. None where another has noticed already. The malls' limits are doubted with it."""
    async with db.connection() as connection:
        row = (await connection.execute(NOTICE, {"before": before, "loss": loss})).one_or_none()
        return None if row is None else Noticed(**row._mapping)


async def resync_all(db: Database, since: datetime) -> int:
    """Marks every account: what came after `since` may be lost. How many they are. The malls' limits are doubted with it."""
    async with db.connection() as connection:
        return int(await connection.scalar(RESYNC_ALL, {"since": since}))
