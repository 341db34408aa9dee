"""One subscription's way through an account's events: from its cursor, frame by frame, and on.

A frame holds up to 100 events, and at most 4 frames come a second. Where events are coalesced, a node's newest stands for
those before it. `cursor` of a frame is where to resume; a frame without events moves it on: the first, at once, says
that following has begun, and later ones come once a minute while nothing that was asked for happens. When too much
changed at once to be told one by one, a frame without events says `reload`: read the screen again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Generic, TypeVar
from uuid import UUID

from api.feed import Feed, Tail
from domain.model.events import EventKind
from domain.store import events
from domain.store.database import Database, Tx
from domain.store.events import Facts, LoggedEvent

MOST_EVENTS = 100
MOST_PENDING = 2_000
FRAME_SECONDS = 0.25
QUIET_SECONDS = 60.0

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Frame:
    """`cursor`: everything up to here has been told, or was not asked for."""

    cursor: int
    events: Sequence[LoggedEvent] = ()
    reload: bool = False


Wants = Callable[[LoggedEvent], bool]
Among = Callable[[Tx, Sequence[UUID]], Awaitable[Mapping[UUID, Facts]]]


def living(kind: EventKind) -> Among:
    """All that can still be read."""

    async def living(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
        return await events.living(tx, kind, ids)

    return living


@dataclass(frozen=True, slots=True)
class Topic(Generic[Shown]):
    """What is followed. `wants`: by what stands in the event. `among`: which nodes are still there, and asked for, with
    what is told of them beside what stands in their events."""

    kind: EventKind
    wants: Wants
    among: Among
    show: Callable[[Frame], Shown]
    coalesce: bool = False

    def concerns(self, event: LoggedEvent) -> bool:
        if event.kind is EventKind.RELOAD:
            return True
        return event.kind is self.kind and event.node_id is not None and self.wants(event)


@dataclass(slots=True)
class Pending:
    """Events that wait for a frame, in their order."""

    coalesce: bool
    _events: dict[UUID | int | None, LoggedEvent] = field(default_factory=dict)
    _reload: int | None = None

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: LoggedEvent) -> None:
        if event.kind is EventKind.RELOAD:
            self._events.clear()
            self._reload = event.seq
            return
        key = event.node_id if self.coalesce else event.seq
        self._events.pop(key, None)
        self._events[key] = event

    def take(self, read: int) -> Frame:
        """The next frame, when all up to `read` has been added."""
        if self._reload is not None:
            reload, self._reload = self._reload, None
            return Frame(reload, reload=True)
        taken = dict(islice(self._events.items(), MOST_EVENTS))
        for key in taken:
            del self._events[key]
        last = list(taken.values())[-1].seq if self._events else read
        return Frame(last, list(taken.values()))

    def waits(self) -> bool:
        return bool(self._events) or self._reload is not None


class Following(Generic[Shown]):
    """Iterates over frames, shown. `position`: all up to here was delivered; another iteration goes on from there."""

    def __init__(
        self, db: Database, feed: Feed, account_id: UUID, topic: Topic[Shown], position: int
    ) -> None:
        self._db = db
        self._feed = feed
        self._topic = topic
        self._frame: Frame | None = None
        self._delivered: Frame | None = None
        self._framed_at = 0.0
        self.account_id = account_id
        self.position = position

    def __aiter__(self) -> AsyncIterator[Shown]:
        return self._frames()

    def delivered(self) -> None:
        """The frame that was shown last has reached those who follow."""
        assert self._frame is not None
        self._delivered = self._frame
        self.position = self._frame.cursor

    async def again(self) -> Shown:
        """The last frame, without what is gone by now."""
        assert self._frame is not None
        self._frame = replace(self._frame, events=await self._living(self._frame.events))
        return self._topic.show(self._frame)

    async def _frames(self) -> AsyncIterator[Shown]:
        pending = Pending(self._topic.coalesce)
        read = self.position
        async with self._feed.tail(self.account_id) as tail:
            while True:
                read = await self._gather(tail, pending, read)
                if pending.waits() or self._is_stale(read):
                    shown = await self._next(pending.take(read))
                    if shown is not None:
                        yield shown
                        await self._pause()
                    continue
                self.position = read
                with suppress(TimeoutError):
                    async with asyncio.timeout(QUIET_SECONDS):
                        await tail.beyond(read)

    async def _gather(self, tail: Tail, pending: Pending, read: int) -> int:
        """Adds what is asked for; how far that went."""
        while len(pending) < MOST_PENDING and (events := await tail.after(read)):
            for event in filter(self._topic.concerns, events):
                pending.add(event)
            read = events[-1].seq
        return read

    def _is_stale(self, read: int) -> bool:
        if self._delivered is None:
            return True
        quiet = time.monotonic() - self._framed_at
        return read > self._delivered.cursor and quiet >= QUIET_SECONDS

    async def _next(self, frame: Frame) -> Shown | None:
        """None when nothing of it is still there, or asked for."""
        living = replace(frame, events=await self._living(frame.events))
        if frame.events and not living.events and self._delivered is not None:
            self.position = frame.cursor
            return None
        self._frame = living
        self._framed_at = time.monotonic()
        return self._topic.show(living)

    async def _pause(self) -> None:
        await asyncio.sleep(max(0.0, self._framed_at + FRAME_SECONDS - time.monotonic()))

    async def _living(self, events: Sequence[LoggedEvent]) -> Sequence[LoggedEvent]:
        if not events:
            return events
        ids = list({event.node_id for event in events if event.node_id is not None})
        async with self._db.transaction(self.account_id) as tx:
            found = await self._topic.among(tx, ids)
        return [
            _with(event, found[event.node_id])
            for event in events
            if event.node_id is not None and event.node_id in found
        ]


def _with(event: LoggedEvent, facts: Facts) -> LoggedEvent:
    return replace(event, payload={**event.payload, **facts}) if facts else event
