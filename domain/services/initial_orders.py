"""初期受注取得 Fetching a shop's orders from before it takes part: asked for by a person, done by workers.

It shares the turn of the shop's importer, window by window, so that ordinary orders are never kept waiting for long. It
begins again where its last window ended; an order that is known already is not new, and its window may be walked twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError, MallError
from domain.model.initial_orders import InitialOrderMode, InitialOrders, check_since
from domain.model.jobs import JobKind, JobState
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallOrder, OrderPage, OrderWindow
from domain.model.reflect import Halt, Quarantine, Retry, after_failure, after_stumble
from domain.model.sync_errors import Part
from domain.services import shops as shop_service
from domain.services import sync_errors
from domain.services.orders import Taken
from domain.services.polling import LEASE, Poll, still_ours, take_page
from domain.services.switches import check_in_use
from domain.store import job_shops, jobs, leases, logs, shops
from domain.store.database import Tx
from domain.store.job_shops import JobShop, ShopWork
from domain.store.leases import LeaseKind
from domain.store.shops import Shop

WORK = ShopWork.INITIAL_ORDERS
LONGEST_WINDOW = timedelta(days=1)
MOST_FAILURES = 10


class CalledOff(Exception):
    """A person cancelled the job: this worker stops."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One window's turn. `asked`: which orders are meant, on the mall's clock."""

    job: JobShop
    asked: InitialOrders
    poll: Poll


async def ask(
    tx: Tx,
    actor: Actor,
    shop_ids: Sequence[UUID],
    *,
    since: datetime,
    mode: InitialOrderMode,
    now: datetime,
) -> UUID:
    """The job to follow. The shops' switches may be off.

    Raises DomainError NOT_FOUND, SHOP_NOT_IN_USE, REQUIRED, INVALID_VALUE, or ALREADY_RUNNING where such a fetch is not
    over in one of the shops.
    """
    check_since(since, now)
    found = await shop_service.all_known(tx, shop_ids)
    if not found:
        raise DomainError("Name the shops.", code="REQUIRED", field=("shop_ids",))
    check_in_use(found)
    await _check_free(tx, found)
    asked = {"since": since, "mode": mode.value, "asked_at": now}
    job_id = await jobs.create(tx, JobKind.ORDER_FETCH, input=asked, actor=actor)
    await job_shops.add(tx, job_id, WORK, [(shop.id, 1, 0) for shop in found], at=now)
    facts = {"since": since, "mode": mode.value}
    targets = [(shop.id, {"name": shop.name, **facts}) for shop in found]
    await logs.operation(
        tx, actor.as_json(), "FETCH_INITIAL_ORDERS", "SHOP", targets, job_id=job_id
    )
    return job_id


async def begin(tx: Tx, shop_id: UUID, holder: str, *, now: datetime) -> Fetch | None:
    """Takes the shop's turn and the next window; None where another has it, where ordinary orders come first, or where
    nothing is left to fetch."""
    shop = await shops.lock(tx, shop_id)
    if shop is not None and (shop.stands_still or _comes_first(shop, now)):
        return None
    epoch = await leases.take(tx, shop_id, LeaseKind.ORDERS, holder, LEASE)
    job = await job_shops.take(tx, shop_id, WORK, at=now, length=LEASE) if epoch else None
    fetch = None
    if epoch is not None and job is not None:
        fetch = await _next_window(tx, shop, job, epoch, holder, now)
    if epoch is not None and fetch is None:
        await leases.give_back(tx, shop_id, LeaseKind.ORDERS, holder, epoch)
    return fetch


async def took(tx: Tx, fetch: Fetch, poll: Poll, page: OrderPage, *, now: datetime) -> Taken:
    """Stores a page of the window of `poll`, which may be a narrower one. Raises TurnLost or CalledOff."""
    shop = await still_ours(tx, poll)
    if not await job_shops.goes_on(tx, fetch.job.job_id):
        raise CalledOff
    resolution = MALL_SPECS[shop.mall].capabilities.order_time_resolution

    def baseline(order: MallOrder) -> bool | None:
        return fetch.asked.is_baseline(order.placed_at, resolution)

    asked_at = poll.asked_at
    taken = await take_page(tx, shop, page, asked_at=asked_at, baseline=baseline, now=now)
    await jobs.progress(tx, fetch.job.job_id, done=taken.orders, failed=0)
    await job_shops.note_orders(
        tx,
        fetch.job,
        orders=taken.orders,
        lines=taken.lines,
        deducted=taken.deducted,
        reached=poll.window.until if page.last else None,
    )
    if page.last:
        await _walked(tx, shop, fetch, poll, now)
    return taken


async def failed(tx: Tx, fetch: Fetch, error: MallError, *, now: datetime) -> None:
    """What is asked again is asked from where the last window ended; a mall that fails too often in a row is given up.
    Raises TurnLost."""
    shop = replace(await still_ours(tx, fetch.poll), version=fetch.poll.shop.version)
    failures = fetch.job.failures + 1
    decision = after_failure(error, failures, now=now)
    if isinstance(decision, Halt):
        await shop_service.halt(tx, shop, error, now=now)
        return
    again = shop.at_its_pace(_again(decision), now)
    counts = not isinstance(decision, Retry) or decision.counts
    await job_shops.later(tx, fetch.job, again, failures=failures if counts else failures - 1)
    if failures >= MOST_FAILURES and counts:
        await job_shops.end(tx, fetch.job, JobState.FAILED, at=now)
    await sync_errors.report_failure(
        tx, error, Part.ORDERS, shop_id=shop.id, shop_name=shop.name, next_try_at=again, now=now
    )


async def stumbled(tx: Tx, fetch: Fetch, *, now: datetime) -> None:
    """We failed, not the mall: again later, ever more rarely, and given up after as many times as a mall is."""
    failures = fetch.job.failures + 1
    await job_shops.later(tx, fetch.job, after_stumble(failures, now=now), failures=failures)
    if failures >= MOST_FAILURES:
        await job_shops.end(tx, fetch.job, JobState.FAILED, at=now)


async def end(tx: Tx, fetch: Fetch, *, now: datetime) -> None:
    """The turn is over, whatever came of it."""
    poll = fetch.poll
    await job_shops.put_back(tx, fetch.job, at=now)
    await leases.give_back(tx, poll.shop.id, LeaseKind.ORDERS, poll.holder, poll.epoch)


def _comes_first(shop: Shop, now: datetime) -> bool:
    """Ordinary orders are due: they are not kept waiting."""
    return shop.state == "RUNNING" and shop.fetches_orders and shop.next_order_poll_at <= now


async def _check_free(tx: Tx, found: Sequence[Shop]) -> None:
    busy = await job_shops.busy(tx, [shop.id for shop in found], WORK)
    for shop in found:
        if shop.id in busy:
            raise DomainError(
                f"The orders of {shop.name} are being fetched already: wait, or cancel that first.",
                field=("shop_ids",),
                code="ALREADY_RUNNING",
                shop=shop.name,
            )


async def _next_window(
    tx: Tx, shop: Shop | None, job: JobShop, epoch: int, holder: str, now: datetime
) -> Fetch | None:
    """The job is over in a shop that is gone, or all of whose orders are here."""
    if shop is None or not shop.in_use:
        await job_shops.end(tx, job, JobState.FAILED, at=now)
        return None
    if not job.began:
        await jobs.start(tx, [job.job_id], at=now)
    asked = _asked(job, shop)
    spec = MALL_SPECS[shop.mall].capabilities
    since = job.reached or asked.since
    end = now + shop.clock_offset - spec.order_lag / shop.speed
    if end <= since:
        await job_shops.end(tx, job, JobState.DONE, at=now)
        return None
    until = min(end, since + min(spec.max_order_window, LONGEST_WINDOW))
    poll = Poll(shop, epoch, OrderWindow(since, until), now, holder, until == end)
    return Fetch(job, asked, poll)


def _asked(job: JobShop, shop: Shop) -> InitialOrders:
    since, asked_at = (
        datetime.fromisoformat(job.input[name]) + shop.clock_offset
        for name in ("since", "asked_at")
    )
    return InitialOrders(InitialOrderMode(job.input["mode"]), since, asked_at)


async def _walked(tx: Tx, shop: Shop, fetch: Fetch, poll: Poll, now: datetime) -> None:
    await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, part=Part.ORDERS, now=now)
    if poll.to_the_end:
        await job_shops.end(tx, fetch.job, JobState.DONE, at=now)
    else:
        await job_shops.later(tx, fetch.job, now)


def _again(decision: Retry | Quarantine) -> datetime:
    return decision.until if isinstance(decision, Quarantine) else decision.at
