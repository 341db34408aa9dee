"""One virtual clock for everything that waits: the event loop's own.

Whoever sleeps in asyncio sleeps in virtual time: when nobody has anything left to do, the clock leaps to the next waker. What
a database does takes no virtual time: as long as it is at work the clock stands, and its answer is looked at only when
everything else at hand is done, so that nothing hangs on how fast it was. One transaction runs at a time, for the same
reason: with a seed everything happens again in the same order.
"""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.store.database import Database, Ringer, Tx, silence

Answer = TypeVar("Answer")
LONGEST_SILENCE = 120.0
"""Seconds of real time for which a database may be at work."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` is virtual, in seconds from 0. `at_work`: databases are asked something by so many at this moment."""

    def __init__(self) -> None:
        self.at_work = 0
        self._elapsed = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self._elapsed

    def leap(self, seconds: float) -> None:
        self._elapsed += seconds


class _Leaping(selectors.DefaultSelector):
    """Where a loop would wait for its next timer, its clock leaps there instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Raises RuntimeError when the database is silent for too long."""
        if timeout == 0:
            return []
        if self._loop.at_work or timeout is None:
            return self._answered()
        self._loop.leap(timeout)
        return super().select(0)

    def _answered(self) -> list[tuple[selectors.SelectorKey, int]]:
        answered = super().select(LONGEST_SILENCE)
        if not answered:
            raise RuntimeError(f"Nothing has happened for {LONGEST_SILENCE:.0f} s.")
        return answered


class Clock:
    """The loop's time as moments from `start` on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime) -> None:
        self._loop = loop
        self.start = start

    def now(self) -> datetime:
        return self.at(self.seconds)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._loop.time()

    def at(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    async def until(self, seconds: float) -> None:
        """Sleeps until so many seconds have passed since the start."""
        await asyncio.sleep(max(0.0, seconds - self.seconds))


class OneAtATime(Database):
    """A database that answers one transaction at a time, while the virtual clock stands."""

    def __init__(self, engine: AsyncEngine, ringer: Ringer = silence) -> None:
        super().__init__(engine, ringer)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        async with self._at_work(), super().connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, account_id: Any) -> AsyncIterator[Tx]:
        async with self._at_work(), super().transaction(account_id) as tx:
            yield tx

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with self._turn:
            loop.at_work += 1
            try:
                yield
            finally:
                loop.at_work -= 1

    async def close(self) -> None:
        """A connection says farewell to its server: real work too."""
        async with self._at_work():
            await super().close()


def in_virtual_time(work: Callable[[VirtualLoop], Coroutine[Any, Any, Answer]]) -> Answer:
    """Runs it to its end on a loop of its own. Raises what it raises."""
    loops: list[VirtualLoop] = []

    def made() -> VirtualLoop:
        loops.append(VirtualLoop())
        return loops[0]

    with asyncio.Runner(loop_factory=made) as runner:
        runner.get_loop()
        return runner.run(work(loops[0]))
