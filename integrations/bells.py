"""Valkey (or Redis) rings bells, and holds nothing: a bell that is lost costs a poll, never a fact (DESIGN §2.1).

A bell for workers is an arq job that says "look at this shop"; news for those who follow is a message that says "this
account has events". Without Valkey both are found by the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from domain.model.bells import Bell

LOOK = "look"
QUEUE = "renkei:bells"
NEWS = "renkei:news"
RING_SECONDS = 1.0
BELL_LIVES_SECONDS = 60

log = structlog.get_logger(__name__)


def arq_settings(url: str) -> RedisSettings:
    """How arq reaches the Valkey at `url`; it gives up at once, and its owner starts it again."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0
    return settings


class Bells:
    """Keeps domain.store.database.Ringer. Connections are made when first used."""

    def __init__(self, url: str) -> None:
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, socket_timeout=RING_SECONDS, socket_connect_timeout=RING_SECONDS
        )
        self._redis = ArqRedis(connection_pool=self._pool, default_queue_name=QUEUE)
        self._url = url

    async def __call__(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        """Never raises: what is not rung is found by the clock."""
        if not (news or bells):
            return
        try:
            async with asyncio.timeout(RING_SECONDS):
                await self._ring(account_id, news, bells)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("bell_not_rung", account=str(account_id), error=str(error))

    async def _ring(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        if news:
            await self._redis.publish(NEWS, str(account_id))
        for bell in bells:
            await self._redis.enqueue_job(
                LOOK,
                str(bell.account_id),
                str(bell.shop_id),
                bell.work,
                _expires=BELL_LIVES_SECONDS,
            )

    async def waiting(self) -> int:
        """How many bells nobody has answered yet. Raises RedisError or OSError without Valkey."""
        return int(await self._redis.zcard(QUEUE))

    @asynccontextmanager
    async def news(self) -> AsyncIterator[AsyncIterator[UUID]]:
        """The accounts that have new events, as they come. Raises RedisError or OSError when Valkey goes."""
        async with (
            Redis.from_url(self._url, socket_connect_timeout=RING_SECONDS) as redis,
            redis.pubsub() as channel,
        ):
            await channel.subscribe(NEWS)
            yield _accounts(channel.listen())

    async def close(self) -> None:
        with suppress(RedisError, OSError):
            await self._pool.disconnect()


async def _accounts(messages: AsyncIterator[dict[str, object]]) -> AsyncIterator[UUID]:
    async for message in messages:
        data = message["data"]
        if message["type"] == "message" and isinstance(data, bytes):
            yield UUID(data.decode())
