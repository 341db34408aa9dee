"""What runs by the clock, in every worker process, and works with Valkey gone; whose turn it is, rows decide."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from domain.services.sync import Why, reconsider_shops
from domain.store import dispatch, leases
from domain.store.database import Tx
from workers.context import Context
from workers.look import look

AT_ONCE = 16
DUE_AT_MOST = 500
OVERDUE_AFTER = timedelta(seconds=5)
EVENTS_LIVE = timedelta(days=7)
MONTHS_AHEAD = 3

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Hands:
    """What this process works on beside its bells: each shop's work once, AT_ONCE of them together."""

    ctx: Context
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _busy: dict[tuple[UUID, str], "asyncio.Task[None]"] = field(default_factory=dict)

    def take_up(self, account_id: UUID, shop_id: UUID, work: str) -> None:
        key = (shop_id, work)
        if key not in self._busy:
            self._busy[key] = asyncio.create_task(self._work(account_id, shop_id, work))
            self._busy[key].add_done_callback(lambda _: self._busy.pop(key))

    async def _work(self, account_id: UUID, shop_id: UUID, work: str) -> None:
        async with self._free:
            await look(self.ctx, account_id, shop_id, work)

    async def put_down(self) -> None:
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run(ctx: Context, sweep_seconds: float) -> None:
    """Every loop, until cancelled."""
    hands = Hands(ctx)

    async def sweep() -> None:
        for due in await dispatch.due(ctx.db, at=ctx.now(), at_most=DUE_AT_MOST):
            hands.take_up(due.account_id, due.shop_id, due.work)

    try:
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_every(ctx, "sweep", sweep_seconds, sweep))
            loops.create_task(_every(ctx, "overdue", 5, lambda: _show_overdue(ctx)))
            loops.create_task(_every(ctx, "partitions", 3600, lambda: _make_partitions(ctx)))
            loops.create_task(_every(ctx, "events", 600, lambda: _forget_events(ctx)))
    finally:
        await hands.put_down()


async def _every(
    ctx: Context, name: str, seconds: float, work: Callable[[], Awaitable[None]]
) -> None:
    """One process's turn at a time. A failure is logged, and the next turn comes all the same."""
    while True:
        try:
            if await leases.turn(ctx.db, name, ctx.holder, timedelta(seconds=seconds * 0.9)):
                await work()
        except Exception:
            log.exception("turn_failed", turn=name)
        await asyncio.sleep(seconds)


async def _show_overdue(ctx: Context) -> None:
    """A push that is late by now is a difference, though nothing but the time has changed."""
    before = ctx.now() - OVERDUE_AFTER
    for account_id, shop_id in await dispatch.overdue(ctx.db, waiting_before=before, at_most=100):

        async def work(tx: Tx, shop_id: UUID = shop_id) -> None:
            await reconsider_shops(tx, [shop_id], Why.LOOKED, now=ctx.now())

        await ctx.db.run(account_id, work)


async def _make_partitions(ctx: Context) -> None:
    await dispatch.make_partitions(ctx.db, months_ahead=MONTHS_AHEAD)
    astray = await dispatch.unpartitioned_rows(ctx.db)
    if astray:
        log.error("log_rows_outside_every_month", rows=astray)


async def _forget_events(ctx: Context) -> None:
    await dispatch.forget_events(ctx.db, before=ctx.now() - EVENTS_LIVE, at_most=100_000)
