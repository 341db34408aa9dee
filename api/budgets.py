"""The budget of every caller: a bucket of points that empties by what they ask and fills by itself.

A caller is a token, or a person with all their sessions. The bucket is one row that all processes share; a process draws
from it in slices and spends them from a purse. So a request seldom costs a statement, and the sum is kept to within what
lies in the purses: nobody gets more than the budget and a slice a process at once, and over time never more than what is
restored. A purse is put back and drawn anew after FRESH_SECONDS.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from api.context import Viewer
from api.cost import Price, objects_in
from api.errors import Refused, refused_by
from api.plan import Answer
from api.recent import Recent
from domain.model.errors import DomainError
from domain.store.budgets import draw
from domain.store.database import Database

MOST_PURSES = 10_000
SLICES = 20
"""A slice is this part of the budget."""

FRESH_SECONDS = 5.0
BELIEVED_SECONDS = 1.0
"""So long an empty bucket is refused without being asked again."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Points: of one operation at most, of a caller at once, and restored a second."""

    maximum: int
    budget: int
    restored: int


@dataclass(slots=True)
class Purse:
    """`points`: drawn and not spent; below 0 where answers were dearer than was thought. `rest`: in the bucket then."""

    key: str
    points: float = 0.0
    rest: float = 0.0
    drawn_at: float = -math.inf
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Bill:
    """What was paid for an operation before it began."""

    budgets: "Budgets"
    purse: Purse
    price: Price

    def settled(self, answer: Answer) -> Answer:
        """With its cost; what was paid too much is given back. What could not begin cost nothing but a point."""
        if not answer.executed:
            self.purse.points += self.price.requested - 1
            return answer
        requested, actual = self.price.requested, self.price.actual(objects_in(answer.body))
        self.purse.points += requested - actual
        return Answer(self.budgets.told(self.purse, answer.body, requested, actual))


class Budgets:
    """One serves a process. `clock`: seconds that only grow."""

    def __init__(
        self, db: Database, allowance: Allowance, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._allowance = allowance
        self._clock = clock
        self._purses: Recent[Purse] = Recent(MOST_PURSES)

    def check(self, price: Price) -> None:
        """Raises Refused: no operation may cost so much."""
        if price.requested > self._allowance.maximum:
            raise refused_by(_too_expensive(price.requested, self._allowance.maximum))

    async def charge(self, viewer: Viewer, price: Price) -> Bill:
        """Raises Refused: the budget has too little left."""
        purse = self._purse(viewer)
        await self._pay(purse, price.requested)
        return Bill(self, purse, price)

    async def pay(self, viewer: Viewer, points: int) -> None:
        """For work of another kind. Raises Refused."""
        await self._pay(self._purse(viewer), min(points, self._allowance.maximum))

    def status(self, purse: Purse) -> Mapping[str, int]:
        """As far as this process knows: what others drew since its last draw is not seen."""
        return {
            "maximumAvailable": self._allowance.budget,
            "currentlyAvailable": max(0, math.floor(self._available(purse))),
            "restoreRate": self._allowance.restored,
        }

    def told(self, purse: Purse, body: bytes, requested: int, actual: int) -> bytes:
        """The answer with `extensions.cost`. It is a JSON object, and is not read again to be added to."""
        status = orjson.dumps(self.status(purse))
        cost = b',"extensions":{"cost":{"requestedQueryCost":%d,"actualQueryCost":%d,"throttleStatus":%b}}}'
        return body[:-1] + cost % (requested, actual, status)

    def _purse(self, viewer: Viewer) -> Purse:
        account, actor = viewer.account_id, viewer.actor
        known = self._purses.get((account, actor.id))
        if known is not None:
            return known
        purse = Purse(f"cost:{account}:{actor.kind.value}:{actor.id}")
        return self._purses.keep((account, actor.id), purse)

    async def _pay(self, purse: Purse, points: int) -> None:
        if not self._spent(purse, points):
            async with purse.drawing:
                if not self._spent(purse, points):
                    await self._draw(purse, points)

    def _spent(self, purse: Purse, points: int) -> bool:
        """Paid from the purse. Raises Refused where the bucket was empty a moment ago."""
        age = self._clock() - purse.drawn_at
        if age < FRESH_SECONDS and purse.points >= points:
            purse.points -= points
            return True
        if age < BELIEVED_SECONDS and self._available(purse) < points:
            raise self._throttled(purse, points)
        return False

    async def _draw(self, purse: Purse, points: int) -> None:
        allowance = self._allowance
        returned, purse.points = purse.points, 0.0
        drawn = await draw(
            self._db,
            purse.key,
            need=points,
            extra=allowance.budget / SLICES,
            returned=returned,
            budget=allowance.budget,
            restored=allowance.restored,
        )
        purse.rest, purse.drawn_at = drawn.rest, self._clock()
        if drawn.points < points:
            raise self._throttled(purse, points)
        purse.points += drawn.points - points

    def _available(self, purse: Purse) -> float:
        filled = purse.rest + self._allowance.restored * (self._clock() - purse.drawn_at)
        return min(self._allowance.budget, filled + purse.points)

    def _throttled(self, purse: Purse, points: int) -> Refused:
        missing = points - self._available(purse)
        seconds = max(1, math.ceil(missing / self._allowance.restored))
        refused = refused_by(_throttled(points, seconds), 429, Retry_After=str(seconds))
        cost = {"requestedQueryCost": points, "throttleStatus": self.status(purse)}
        refused.extensions = {"cost": cost}
        return refused


def _too_expensive(cost: int, maximum: int) -> DomainError:
    message = (
        f"This operation costs {cost:,} points, {maximum:,} at most: ask for smaller pages (`first`), fewer levels, or "
        "in several operations."
    )
    return DomainError(message, code="TOO_EXPENSIVE", cost=cost, maximum=maximum)


def _throttled(cost: int, seconds: int) -> DomainError:
    message = f"Your budget has too little left for {cost:,} points: try again in {seconds:,} s."
    return DomainError(message, code="THROTTLED", cost=cost, retry_after=seconds)
