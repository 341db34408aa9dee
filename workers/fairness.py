"""Places that accounts share: whoever has many shops keeps nobody waiting who has one."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

Waiting = deque["asyncio.Future[None]"]


@dataclass(slots=True)
class FairPlaces:
    """`of_one`: places that one account may hold; half as many again are there for the others.

    A place that is given back goes to the waiting account that holds the fewest, the one that waits longest first.
    """

    of_one: int
    _free: int = field(init=False)
    _held: Counter[UUID] = field(default_factory=Counter)
    _waiting: dict[UUID, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._free = self.of_one + max(1, self.of_one // 2)

    @asynccontextmanager
    async def place(self, account_id: UUID) -> AsyncIterator[None]:
        """Waits for one, and gives it back."""
        await self._take(account_id)
        try:
            yield
        finally:
            self._give_back(account_id)

    async def _take(self, account_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give_back(account_id)
            elif turn in self._waiting.get(account_id, ()):
                self._forget(account_id, turn)
            raise

    def _give_back(self, account_id: UUID) -> None:
        self._free += 1
        self._held[account_id] -= 1
        if not self._held[account_id]:
            del self._held[account_id]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free and (account_id := self._next()) is not None:
            turn = self._waiting[account_id][0]
            self._forget(account_id, turn)
            if turn.cancelled():
                continue
            self._free -= 1
            self._held[account_id] += 1
            turn.set_result(None)

    def _next(self) -> UUID | None:
        may = [each for each in self._waiting if self._held[each] < self.of_one]
        return min(may, key=self._held.__getitem__, default=None)

    def _forget(self, account_id: UUID, turn: "asyncio.Future[None]") -> None:
        """Whoever waits for more comes after the other accounts."""
        waiting = self._waiting.pop(account_id)
        waiting.remove(turn)
        if waiting:
            self._waiting[account_id] = waiting
