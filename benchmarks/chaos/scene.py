"""What the parts of a run share."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.chaos.grounds import Grounds
from benchmarks.chaos.merchant import Merchant
from benchmarks.market import MallShop, Market
from domain.store.database import Tx
from domain.store.outages import sqlstate

Answer = TypeVar("Answer")
Say = Callable[[str], None]
LOST = (
    OSError,
    TimeoutError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
OURS = frozenset({"22", "23", "42"})
"""Classes of SQLSTATE that say that the statement is wrong, not that the server is away."""

AGAIN_AFTER = 0.3
MOST_TRIES = 200


async def patiently(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Again and again while PostgreSQL is away."""
    for _ in range(MOST_TRIES):
        try:
            return await work()
        except LOST as error:
            if (sqlstate(error) or "")[:2] in OURS:
                raise
            await asyncio.sleep(AGAIN_AFTER)
    return await work()


@dataclass(slots=True)
class Scene:
    """`struck`: faults so far, by kind. `ended_at`: when the last fault ended, by the loop's clock. `restoring`: one
    older copy at a time; `expiring`: one death of a shop's credentials."""

    grounds: Grounds
    market: Market
    merchant: Merchant
    say: Say
    struck: Counter[str] = field(default_factory=Counter)
    ended_at: float = 0.0
    restoring: asyncio.Lock = field(default_factory=asyncio.Lock)
    expiring: defaultdict[UUID, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def shop(self, place: int) -> MallShop:
        return self.market.shops[place]

    async def read(self, work: Callable[[Tx], Awaitable[Answer]]) -> Answer:
        """In a transaction of the merchant's account."""

        async def once() -> Answer:
            async with self.market.db.transaction(self.market.account_id) as tx:
                return await work(tx)

        return await patiently(once)

    async def as_superuser(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Past every wall, as whoever runs the server may."""
        url = self.grounds.postgres.url().replace("postgresql+asyncpg://", "postgresql://", 1)

        async def once() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(url)
            try:
                found: list[asyncpg.Record] = await connection.fetch(sql, *values)
                return found
            finally:
                await connection.close()

        return await patiently(once)
