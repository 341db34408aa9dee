"""Valkey (or Redis) rings bells, and holds nothing: a bell that is lost costs a poll, never a fact (DESIGN §2.1).

A bell for workers is an arq job that says "look at this shop", or at this job of ours; news for those who follow is a
message that says "this account has events". Without Valkey both are found by the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic
from uuid import UUID, uuid4

import structlog
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from domain.model.bells import Bell

LOOK = "look"
QUEUE = "renkei:bells"
NEWS = "renkei:news"
RING_SECONDS = 1.0
SILENT_SECONDS = 5.0
BELL_LIVES_SECONDS = 60
MILLISECONDS = 1000

log = structlog.get_logger(__name__)


def arq_at(url: str) -> ArqRedis:
    """arq's way to the Valkey at `url`; connections are made when first used, and it gives up at once.

    No socket_timeout: with one, redis-py forgets cancellations that come while it waits.
    """
    pool: ConnectionPool = ConnectionPool.from_url(url, socket_connect_timeout=RING_SECONDS)
    return ArqRedis(
        pool, default_queue_name=QUEUE, expires_extra_ms=BELL_LIVES_SECONDS * MILLISECONDS
    )


class Bells:
    """Keeps domain.store.database.Ringer. Connections are made when first used."""

    def __init__(self, url: str) -> None:
        self._redis = arq_at(url)
        self._url = url
        self._silent_until = 0.0

    async def __call__(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        """Never raises: what is not rung is found by the clock. A Valkey that did not answer is left alone for a while,
        so that no commit waits for it."""
        if not (news or bells) or monotonic() < self._silent_until:
            return
        try:
            async with asyncio.timeout(RING_SECONDS):
                await self._ring(account_id, news, bells)
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = monotonic() + SILENT_SECONDS
            log.warning("bells_silent", error=str(error), for_seconds=SILENT_SECONDS)

    async def _ring(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        """All at once. A job is written as arq's `enqueue_job` does, which goes there four times for each, to see first that
        none has its random name."""
        at = timestamp_ms()
        async with self._redis.pipeline(transaction=False) as line:
            if news:
                line.publish(NEWS, str(account_id))
            for bell in bells:
                name, asked = uuid4().hex, (str(bell.account_id), str(bell.place_id), bell.work)
                job = serialize_job(LOOK, asked, {}, None, at)
                line.psetex(job_key_prefix + name, BELL_LIVES_SECONDS * MILLISECONDS, job)
                line.zadd(QUEUE, {name: at})
            await line.execute()

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
            await self._redis.connection_pool.disconnect()


async def _accounts(messages: AsyncIterator[dict[str, object]]) -> AsyncIterator[UUID]:
    async for message in messages:
        data = message["data"]
        if message["type"] == "message" and isinstance(data, bytes):
            yield UUID(data.decode())
