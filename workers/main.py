"""The worker process: bells by arq, the clock beside them, and what both are given."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID, uuid4

import structlog
from arq import Worker, func
from arq.typing import WorkerCoroutine
from redis.exceptions import RedisError

from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.clock import DatabaseClock
from domain.store.database import Database
from domain.store.migrate import check_version
from integrations import connections
from integrations.bells import BELL_LIVES_SECONDS, LOOK, QUEUE, Bells, arq_at
from integrations.connections import Http
from workers import clock
from workers.context import Context, Malls
from workers.hands import Hands

JOBS_AT_ONCE = 16
JOB_SECONDS = 60
POLL_SECONDS = 0.02
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
YOUNG_OBJECTS = 20_000
"""Between two looks for cycles: a page of orders makes some thousand rows, none of which is part of any."""

CLOSE_SECONDS = 2.0

log = structlog.get_logger(__name__)


async def run(settings: Settings, own: Callable[[], float] = time.monotonic) -> None:
    """Works until cancelled. `own`: the seconds of this host's clock. Raises SchemaTooOld, SchemaTooNew, RoleMayBypass."""
    await check_version(settings.database_url)
    _look_for_cycles_rarely()
    bells = Bells(settings.redis_url)
    db = Database.at(settings.database_url, bells, pool_size=settings.database_pool)
    try:
        await db.check_role()
        shared = DatabaseClock(db, own)
        await shared.measure()
        async with connections.opened() as http:
            await _work(_context(settings, db, http, shared), shared, settings)
    finally:
        await bells.close()
        await db.close()


def _look_for_cycles_rarely() -> None:
    """What was imported stays for good, and is not looked through again and again."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def _context(settings: Settings, db: Database, http: Http, shared: DatabaseClock) -> Context:
    vault = Vault(settings.secret_key)
    malls = Malls(db, vault, http, shared.now)
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    return Context(db, malls, vault, holder, shared.now, settings.loss_window)


async def _work(ctx: Context, shared: DatabaseClock, settings: Settings) -> None:
    async with Hands(ctx) as hands, asyncio.TaskGroup() as tasks:
        tasks.create_task(shared.keep())
        tasks.create_task(clock.go_round(hands, settings.sweep_seconds))
        tasks.create_task(_answer_bells(hands, settings))


async def _answer_bells(hands: Hands, settings: Settings) -> None:
    """arq's worker ends when Valkey goes and does not come back by itself: it is made anew, ever more rarely."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        worker = _worker(hands, settings)
        try:
            await worker.async_run()
            pause = FIRST_PAUSE_SECONDS
        except Exception as error:
            log.warning("bells_silent", error=str(error), again_in=pause)
        finally:
            await asyncio.shield(_close(worker))
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _close(worker: Worker) -> None:
    """Bells that are being answered are; then every connection closes. arq's own close leaves them open where a job was
    cancelled."""
    if worker.tasks:
        await asyncio.wait(worker.tasks.values(), timeout=CLOSE_SECONDS)
    with suppress(RedisError, OSError):
        await worker.pool.connection_pool.disconnect()


def _worker(hands: Hands, settings: Settings) -> Worker:
    """Bells only: no retries, no results, no fixed job ids. A bell is answered at once, and what it asks for goes on as
    long as it takes: no time-out of arq cuts a call to a mall short."""

    async def answer(_: dict[Any, Any], account_id: str, place_id: str, work: str) -> None:
        hands.take_up(UUID(account_id), UUID(place_id), work, again=True)

    return Worker(
        functions=[func(cast(WorkerCoroutine, answer), name=LOOK, keep_result=0)],
        redis_pool=arq_at(settings.redis_url),
        queue_name=QUEUE,
        handle_signals=False,
        retry_jobs=False,
        max_jobs=JOBS_AT_ONCE,
        job_timeout=JOB_SECONDS,
        poll_delay=POLL_SECONDS,
        keep_result=0,
        expires_extra_ms=BELL_LIVES_SECONDS * 1000,
        log_results=False,
    )
