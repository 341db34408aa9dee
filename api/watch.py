"""Open sockets outlive the moment in which their token or session was looked at: it is looked at again every two seconds."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from api.context import Viewer
from domain.services.callers import Authenticated, note_use, still_allowed
from domain.store.database import Database

LOOK_SECONDS = 2.0
MOST_AT_ONCE = 1_000

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Watched:
    """`in_use`: something was asked for since the last look."""

    token: str
    viewer: Viewer
    forbid: Callable[[], None]
    in_use: bool = True

    def may_stay(self, now: Authenticated | None) -> bool:
        return now is not None and now.permissions == self.viewer.permissions


class Watch:
    """One serves a process; `run` must be running."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._watched: set[Watched] = set()

    @contextmanager
    def over(self, token: str, viewer: Viewer, forbid: Callable[[], None]) -> Iterator[Watched]:
        """`forbid` is called when the token no longer lives, or may do something else than before."""
        watched = Watched(token, viewer, forbid)
        self._watched.add(watched)
        try:
            yield watched
        finally:
            self._watched.discard(watched)

    async def run(self) -> None:
        """While the database is away everybody stays: nothing is read for them either."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as error:
                log.warning("tokens_not_checked", error=type(error).__name__)

    async def look(self) -> None:
        watched = list(self._watched)
        living = await self._living({each.token for each in watched})
        for each in watched:
            if not each.may_stay(living.get(each.token)):
                each.forbid()
        await self._note_use(watched)

    async def _note_use(self, watched: list[Watched]) -> None:
        """A screen that works over its socket alone is no idle session."""
        used = {each.token for each in watched if each.in_use}
        for each in watched:
            each.in_use = False
        for some in _batches(sorted(used)):
            await note_use(self._db, some)

    async def _living(self, tokens: set[str]) -> Mapping[str, Authenticated]:
        living: dict[str, Authenticated] = {}
        for some in _batches(sorted(tokens)):
            living |= await still_allowed(self._db, some)
        return living


def _batches(tokens: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(tokens), MOST_AT_ONCE):
        yield tokens[begin : begin + MOST_AT_ONCE]
