"""The one clock: PostgreSQL's, read without asking it each time.

Hosts' own clocks differ, and upon what one process notes (when to try again, until when a shop rests) another acts. So
each measures where the database's clock stands beside its own, again and again, and goes on from there by its own. Of a few
round trips the shortest tells best: the answer was made within it.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.model.clocks import own_time
from domain.store.database import Database

COUNTS = 5
MEASURED_EVERY = 30.0
"""Seconds. Quartz clocks drift apart by some 0.1 ms a second at worst."""

HELD_AT_MOST = timedelta(seconds=30)
"""What a measurement takes back is waited for, standing still; a database that went back further is followed."""

READ = text("SELECT clock_timestamp()")


class DatabaseClock:
    """`own`: the seconds of this host's clock, from wherever they are counted."""

    def __init__(self, db: Database, own: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._own = own
        self._zero: datetime | None = None
        self._told: datetime | None = None

    def now(self) -> datetime:
        """Never earlier than it said before, but after the database itself has gone back. By this host's own clock until
        the database's was measured."""
        if self._zero is None:
            return own_time()
        at = self._zero + timedelta(seconds=self._own())
        if self._told is None or not timedelta(0) < self._told - at <= HELD_AT_MOST:
            self._told = at
        return self._told

    async def measure(self) -> None:
        """Raises what the database raises; then it goes on as before."""
        async with self._db.connection() as connection:
            counts = [await self._count(connection) for _ in range(COUNTS)]
        _, self._zero = min(counts)

    async def look(self) -> None:
        """Measures, and goes on as before where that fails."""
        try:
            await self.measure()
        except Exception as error:
            self._db.outage.failed("clock_not_measured", error)

    async def keep(self) -> None:
        """Looks again and again, until cancelled."""
        while True:
            await asyncio.sleep(MEASURED_EVERY)
            await self.look()

    async def _count(self, connection: AsyncConnection) -> tuple[float, datetime]:
        """How long it took, and the database's time at which `own` read 0."""
        asked = self._own()
        told: datetime = await connection.scalar(READ)
        answered = self._own()
        return answered - asked, told - timedelta(seconds=(asked + answered) / 2)
