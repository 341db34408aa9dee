"""The newest events of every account that somebody follows: read once, handed to all who follow it.

An account is looked at when its bell rings and, because bells may be lost, by the clock: every second while Valkey is
gone, every five while it is there.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from domain.store import events
from domain.store.database import Database
from domain.store.events import MOST_ROWS, LoggedEvent
from integrations.bells import Bells

KEPT = 2_000
"""Events of an account in memory; who is further behind reads the database."""

POLL_SECONDS = 1.0
POLL_SECONDS_WITH_BELLS = 5.0
BELL_BACKOFF_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Tail:
    """The end of one account's log. `newest`: all up to here has been read."""

    def __init__(self, db: Database, account_id: UUID, newest: int) -> None:
        self._db = db
        self._account_id = account_id
        self._recent: deque[LoggedEvent] = deque(maxlen=KEPT)
        self._grown = asyncio.Event()
        self.rung = asyncio.Event()
        self.newest = newest

    def holds(self, cursor: int) -> bool:
        """All that came after it is in memory."""
        oldest = self._recent[0].seq if self._recent else self.newest + 1
        return oldest - 1 <= cursor <= self.newest

    async def after(self, cursor: int) -> list[LoggedEvent]:
        """What comes next, at most a page; none when the cursor is the newest. Raises CursorExpired."""
        if cursor >= self.newest:
            return []
        if self.holds(cursor):
            begin = cursor + 1 - self._recent[0].seq
            return list(islice(self._recent, begin, begin + MOST_ROWS))
        return await self._read(cursor)

    async def beyond(self, cursor: int) -> None:
        """Returns when there is something after the cursor."""
        while self.newest <= cursor:
            await self._grown.wait()

    async def catch_up(self) -> None:
        while page := await self._read(self.newest):
            self._recent.extend(page)
            self.newest = page[-1].seq
            self._grown.set()
            self._grown = asyncio.Event()

    async def _read(self, cursor: int) -> list[LoggedEvent]:
        async with self._db.transaction(self._account_id) as tx:
            return await events.after(tx, cursor)


class Feed:
    """One serves a process; `run` must be running."""

    def __init__(self, db: Database, bells: Bells) -> None:
        self._db = db
        self._bells = bells
        self._tails: dict[UUID, tuple[Tail, asyncio.Task[None]]] = {}
        self._followers: dict[UUID, int] = {}
        self.has_bells = False

    async def begin(self, account_id: UUID, cursor: int | None) -> int:
        """Where following begins: at the cursor, or now. Raises CursorExpired."""
        if account_id in self._tails:
            tail, _ = self._tails[account_id]
            if cursor is None or tail.holds(cursor):
                return tail.newest if cursor is None else cursor
        async with self._db.transaction(account_id) as tx:
            if cursor is None:
                return await events.newest(tx)
            await events.check_kept(tx, cursor)
            return cursor

    @asynccontextmanager
    async def tail(self, account_id: UUID) -> AsyncIterator[Tail]:
        """Kept up to date for as long as anybody holds it."""
        self._followers[account_id] = self._followers.get(account_id, 0) + 1
        try:
            yield await self._opened(account_id)
        finally:
            self._followers[account_id] -= 1
            if not self._followers[account_id]:
                del self._followers[account_id]
                if account_id in self._tails:
                    self._tails.pop(account_id)[1].cancel()

    async def run(self) -> None:
        """Listens for bells, for ever."""
        while True:
            with suppress(RedisError, OSError):
                await self._listen()
            self._hears(False)
            await asyncio.sleep(BELL_BACKOFF_SECONDS)

    async def _opened(self, account_id: UUID) -> Tail:
        newest = await self.begin(account_id, None)
        if account_id not in self._tails:
            tail = Tail(self._db, account_id, newest)
            self._tails[account_id] = (tail, asyncio.create_task(self._keep(tail)))
        return self._tails[account_id][0]

    async def _listen(self) -> None:
        async with self._bells.news() as accounts:
            self._hears(True)
            async for account_id in accounts:
                if account_id in self._tails:
                    self._tails[account_id][0].rung.set()

    def _hears(self, bells: bool) -> None:
        """What was rung while nobody heard is looked for at once."""
        if bells != self.has_bells:
            self.has_bells = bells
            log.info("bells_heard" if bells else "bells_lost")
            for tail, _ in self._tails.values():
                tail.rung.set()

    async def _keep(self, tail: Tail) -> None:
        while True:
            tail.rung.clear()
            try:
                await tail.catch_up()
            except Exception as error:
                log.warning("events_not_read", error=type(error).__name__, exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):
                    await tail.rung.wait()

    def _patience(self) -> float:
        return POLL_SECONDS_WITH_BELLS if self.has_bells else POLL_SECONDS
