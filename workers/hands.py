"""What this process works on: each shop's or job's work once, however often a bell or the clock asks for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from uuid import UUID

from domain.services.feeds import FEED
from domain.store.job_targets import TARGETS
from domain.store.walks import WALK
from workers.context import Context
from workers.fairness import FairPlaces
from workers.works import WORK, Work

AT_ONCE = 16
FEWER: Mapping[str, int] = MappingProxyType({TARGETS: 2, WALK: 2, FEED: 4})
"""Work that keeps a connection busy for as long as it lasts, and leaves most of them to what waits for malls; and feeds,
whose documents are some megabytes each."""

LOOKS_AFTER_FAILURE = 5
"""After 1, 2, 4, 8 and 16 seconds."""

FORGOTTEN_AFTER = 600.0
"""Seconds since it failed last: what fails then fails for the first time."""

MOST_FAILING = 10_000
"""That are kept in mind; of further ones the clock tells."""

Key = tuple[UUID, str]


@dataclass(slots=True)
class Failing:
    """Work that failed `times` in a row; `next` is what becomes of that: another look, or that it is forgotten."""

    times: int
    next: asyncio.TimerHandle


@dataclass(slots=True)
class Hands:
    """AT_ONCE shops of an account together for each kind of work, or FEWER jobs, so that long walks through orders keep no
    zero waiting, nor one account's many shops another's.

    `first_look`: seconds after a first failure. Leaving the context puts down whatever is under way: the rows say what is
    still to be done.
    """

    ctx: Context
    work: Mapping[str, Work] = field(default_factory=lambda: WORK)
    first_look: float = 1.0
    forgets_after: float = FORGOTTEN_AFTER
    most_failing: int = MOST_FAILING
    _places: dict[str, FairPlaces] = field(default_factory=dict)
    _busy: dict[Key, "asyncio.Task[None]"] = field(default_factory=dict)
    _again: set[Key] = field(default_factory=set)
    _failing: dict[Key, Failing] = field(default_factory=dict)

    async def __aenter__(self) -> "Hands":
        self._places = {name: FairPlaces(FEWER.get(name, AT_ONCE)) for name in self.work}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for failing in self._failing.values():
            failing.next.cancel()

    def take_up(self, account_id: UUID, place_id: UUID, work: str, *, again: bool = False) -> None:
        """`again`: something is new, so whoever is at it already looks once more."""
        key = (place_id, work)
        if key not in self._busy:
            self._busy[key] = asyncio.create_task(self._look(account_id, key))
        elif again:
            self._again.add(key)

    async def _look(self, account_id: UUID, key: Key) -> None:
        """Until nobody has asked meanwhile: who asks from then on finds nobody at it, and is taken up anew."""
        self._again.add(key)
        try:
            while key in self._again:
                async with self._places[key[1]].place(account_id):
                    self._again.discard(key)
                    await self._look_once(account_id, *key)
        finally:
            del self._busy[key]

    async def _look_once(self, account_id: UUID, place_id: UUID, work: str) -> None:
        """A failure of ours is logged and left to the next look: the rows still say what is to be done."""
        try:
            await self.work[work](self.ctx, account_id, place_id)
        except Exception as error:
            facts = {"account": str(account_id), "place": str(place_id), "work": work}
            self.ctx.db.outage.failed("work_failed", error, **facts)
            self._look_later(account_id, (place_id, work))
        else:
            self._forget((place_id, work))

    def _look_later(self, account_id: UUID, key: Key) -> None:
        """Soon, and ever less soon: where the database was lost under way, a lease is left that this process alone may
        take anew before it ends; nobody else is told of the work meanwhile."""
        times = self._forget(key) + 1
        if len(self._failing) >= self.most_failing:
            return
        later = asyncio.get_running_loop().call_later
        if times <= LOOKS_AFTER_FAILURE:
            look = later(self.first_look * 2 ** (times - 1), self.take_up, account_id, *key)
            self._failing[key] = Failing(times, look)
        else:
            self._failing[key] = Failing(times, later(self.forgets_after, self._forget, key))

    def _forget(self, key: Key) -> int:
        """That it failed, so many times."""
        failing = self._failing.pop(key, None)
        if failing is None:
            return 0
        failing.next.cancel()
        return failing.times
