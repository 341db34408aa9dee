"""What runs by the clock, in every worker process, and works with Valkey gone; whose turn it is, rows decide."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import structlog

from domain.model import expiry
from domain.services import expiries, schedules
from domain.services.sync import Why, reconsider
from domain.store import dispatch, leases, rates, stock
from domain.store import schedules as schedule_rows
from domain.store.database import Tx
from domain.store.job_targets import TARGETS
from workers import restores
from workers.context import Context
from workers.hands import Hands

DUE_AT_MOST = 500
OVERDUE_AT_MOST = 5_000
EXPIRING_AT_MOST = 10_000
EVENTS_LIVE = timedelta(days=7)
PUSHES_LIVE = timedelta(days=7)
JOBS_LIVE = timedelta(days=30)
RUNS_LIVE = timedelta(days=30)
ERRORS_LIVE = timedelta(days=90)
"""After their cause is gone."""

EXPOSURES_LIVE = timedelta(days=366)
OVERSELLS_LIVE = timedelta(days=731)
BUCKETS_LIVE = timedelta(days=2)
FORGET_AT_ONCE = 100_000
MONTHS_AHEAD = 3
LEDGERS_EVERY = 24 * 3600

log = structlog.get_logger(__name__)


async def run(ctx: Context, sweep_seconds: float) -> None:
    """Every loop, with hands of their own, until cancelled."""
    async with Hands(ctx) as hands:
        await go_round(hands, sweep_seconds)


async def go_round(hands: Hands, sweep_seconds: float) -> None:
    """Every loop, until cancelled."""
    ctx = hands.ctx

    async def sweep() -> None:
        for due in await dispatch.due(ctx.db, at=ctx.now(), at_most=DUE_AT_MOST):
            hands.take_up(due.account_id, due.shop_id, due.work)
        for account_id, job_id in await dispatch.jobs_due(
            ctx.db, at=ctx.now(), at_most=DUE_AT_MOST
        ):
            hands.take_up(account_id, job_id, TARGETS)

    async with asyncio.TaskGroup() as loops:
        loops.create_task(restores.watch(ctx))
        loops.create_task(_every(ctx, "resyncs", 1, lambda: restores.resync_accounts(ctx)))
        loops.create_task(_every(ctx, "sweep", sweep_seconds, sweep))
        loops.create_task(_every(ctx, "overdue", 5, lambda: _show_overdue(ctx)))
        loops.create_task(_every(ctx, "schedules", 15, lambda: run_schedules(ctx)))
        loops.create_task(_every(ctx, "expiries", 3600, lambda: warn_of_expiries(ctx)))
        loops.create_task(_every(ctx, "partitions", 3600, lambda: _make_partitions(ctx)))
        loops.create_task(_every(ctx, "events", 600, lambda: _forget(ctx)))
        loops.create_task(_every(ctx, "ledgers", LEDGERS_EVERY, lambda: check_ledgers(ctx)))


async def _every(
    ctx: Context, name: str, seconds: float, work: Callable[[], Awaitable[object]]
) -> None:
    """One process's turn at a time. A failure is logged, and the next turn comes all the same."""
    while True:
        try:
            if await leases.turn(ctx.db, name, ctx.holder, timedelta(seconds=seconds * 0.9)):
                await work()
        except Exception as error:
            ctx.db.outage.failed("turn_failed", error, turn=name)
        await asyncio.sleep(seconds)


async def _apart(
    ctx: Context, name: str, account_id: UUID, work: Callable[[Tx], Awaitable[None]]
) -> None:
    """One account's part of a turn. What fails in it is left to the next turn, and keeps no other account waiting."""
    try:
        await ctx.db.run(account_id, work)
    except Exception as error:
        ctx.db.outage.failed("part_of_turn_failed", error, turn=name, account=str(account_id))


async def _show_overdue(ctx: Context) -> None:
    """A push that is late by now is a difference, though nothing but the time has changed."""
    late: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for account_id, listing_id in await dispatch.overdue(
        ctx.db, at=ctx.now(), at_most=OVERDUE_AT_MOST
    ):
        late[account_id].append(listing_id)
    for account_id, listing_ids in late.items():

        async def work(tx: Tx, listing_ids: list[UUID] = listing_ids) -> None:
            await reconsider(tx, listing_ids, Why.LOOKED, now=ctx.now())

        await _apart(ctx, "overdue", account_id, work)


async def run_schedules(ctx: Context) -> None:
    """Full syncs whose time has come, each in a transaction of its own."""
    for account_id, schedule_id in await schedule_rows.due(
        ctx.db, at=ctx.now(), at_most=DUE_AT_MOST
    ):

        async def work(tx: Tx, schedule_id: UUID = schedule_id) -> None:
            await schedules.run(tx, schedule_id, now=ctx.now())

        await _apart(ctx, "schedules", account_id, work)


async def warn_of_expiries(ctx: Context) -> None:
    """Credentials and consents that lapse soon, each shop in a transaction of its own."""
    soon = ctx.now() + expiry.WARNED
    for account_id, shop_id in await dispatch.expiring(
        ctx.db, before=soon, at_most=EXPIRING_AT_MOST
    ):

        async def work(tx: Tx, shop_id: UUID = shop_id) -> None:
            await expiries.warn_of(tx, shop_id, now=ctx.now())

        await _apart(ctx, "expiries", account_id, work)


async def _make_partitions(ctx: Context) -> None:
    await dispatch.make_partitions(ctx.db, months_ahead=MONTHS_AHEAD)
    astray = await dispatch.unpartitioned_rows(ctx.db)
    if astray:
        log.error("log_rows_outside_every_month", rows=astray)


async def check_ledgers(ctx: Context) -> int:
    """Compares every total with its ledger, account by account. How many disagree: above 0 is an alarm."""
    found = 0
    async for account_id in dispatch.accounts(ctx.db):
        async with ctx.db.transaction(account_id) as tx:
            for product in await stock.unbalanced(tx):
                found += 1
                log.error("ledger_unbalanced", account=str(account_id), **asdict(product))
    return found


async def _forget(ctx: Context) -> None:
    now = ctx.now()
    await dispatch.forget_events(ctx.db, before=now - EVENTS_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_pushes(ctx.db, before=now - PUSHES_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_jobs(ctx.db, before=now - JOBS_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_runs(ctx.db, before=now - RUNS_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_errors(ctx.db, before=now - ERRORS_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_oversells(ctx.db, before=now - OVERSELLS_LIVE, at_most=FORGET_AT_ONCE)
    await dispatch.forget_exposures(ctx.db, before=now - EXPOSURES_LIVE, at_most=FORGET_AT_ONCE)
    await rates.forget(ctx.db, before=now - BUCKETS_LIVE, at_most=FORGET_AT_ONCE)
