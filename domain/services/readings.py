"""モール在庫の読み取り: what the malls' counters read, looked up because a person asks (DESIGN §2.8).

A reading is one more thing learnt of a mall's counter. It sends nothing that waits to be reflected; what then differs
goes out, as after any other reading, once the orders up to it are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError, MallError
from domain.model.jobs import JobKind, JobState
from domain.model.locales import Words
from domain.model.mall_specs import MALL_SPECS, MallSpec
from domain.model.malls import ItemRef, StockReading
from domain.model.reflect import Halt, Quarantine, Retry, after_failure, after_stumble
from domain.services import seen_stock, unknown_codes
from domain.services import shops as shop_service
from domain.services.edits import not_found
from domain.services.large_jobs import open_job
from domain.store import job_shops, job_targets, jobs, logs, readings, shops
from domain.store.database import Tx
from domain.store.job_shops import JobShop, ShopWork
from domain.store.readings import ToRead
from domain.store.shops import Shop

WORK = ShopWork.READ_STOCK
LENGTH = timedelta(seconds=30)
"""How long one call and what comes of it may take, before another worker takes the shop up."""

MOST_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One call's worth of listings."""

    job: JobShop
    shop: Shop
    asked: tuple[ToRead, ...]


async def ask(tx: Tx, actor: Actor, listing_ids: Sequence[UUID], *, now: datetime) -> UUID:
    """The job to follow. Listings of shops that are not in use, or whose mall tells no numbers, are failures of it.

    Raises DomainError NOT_FOUND or TOO_MANY.
    """
    found = await readings.by_shop(tx, listing_ids)
    _check_all(listing_ids, found)
    targets = [each for shop_id in sorted(found) for each in found[shop_id]]
    asked = {"target": "LISTING"}
    job_id = await open_job(tx, actor, JobKind.READ_MALL_STOCK, targets, input=asked)
    await _open_shops(tx, job_id, found, now)
    counts = [(shop_id, {"count": len(found[shop_id])}) for shop_id in sorted(found)]
    await logs.operation(tx, actor.as_json(), "READ_MALL_STOCK", "SHOP", counts, job_id=job_id)
    return job_id


async def begin(tx: Tx, shop_id: UUID, *, now: datetime) -> Call | None:
    """The next call; None where nothing is to be read, or another is at it."""
    shop = await shops.lock(tx, shop_id)
    if shop is not None and shop.stands_still:
        return None
    job = await job_shops.take(tx, shop_id, WORK, at=now, length=LENGTH)
    if job is None:
        return None
    refusal = _refusal(shop)
    if shop is None or refusal is not None:
        await _give_up(tx, job, refusal or not_found("shop"), now)
        return None
    return await _next(tx, job, shop, now)


async def took(tx: Tx, call: Call, told: Sequence[StockReading], *, now: datetime) -> None:
    """What a call brought. Of a job that was called off nothing is kept."""
    shop = await shops.lock(tx, call.shop.id) or call.shop
    if not await job_shops.goes_on(tx, call.job.job_id):
        return
    await seen_stock.hold(tx, [each.listing_id for each in call.asked])
    shown = {reading.ref: reading for reading in told}
    found = {each.listing_id: shown[each.ref] for each in call.asked if each.ref in shown}
    await unknown_codes.learn(tx, shop, found, now=now)
    await seen_stock.learn(tx, shop, found, now=now)
    await _note(tx, call, shown)
    if call.asked[-1].place == call.job.to_place:
        await job_shops.end(tx, call.job, JobState.DONE, at=now)
    else:
        await job_shops.later(tx, call.job, now)


async def failed(tx: Tx, call: Call, error: MallError, *, now: datetime) -> None:
    """Asked again later; a mall that fails too often in a row is given up for this job."""
    failures = call.job.failures + 1
    decision = after_failure(error, failures, now=now)
    if isinstance(decision, Halt):
        await shop_service.halt(tx, call.shop, error, now=now)
        return
    counts = not isinstance(decision, Retry) or decision.counts
    again = decision.until if isinstance(decision, Quarantine) else decision.at
    again = call.shop.at_its_pace(again, now)
    await job_shops.later(tx, call.job, again, failures=failures if counts else failures - 1)
    if counts and failures >= MOST_FAILURES:
        await _give_up(tx, call.job, _not_read(call.shop), now)


async def stumbled(tx: Tx, call: Call, *, now: datetime) -> None:
    """We failed, not the mall: again later, ever more rarely, and given up after as many times as a mall is."""
    failures = call.job.failures + 1
    await job_shops.later(tx, call.job, after_stumble(failures, now=now), failures=failures)
    if failures >= MOST_FAILURES:
        await _give_up(tx, call.job, _not_read(call.shop), now)


async def put_back(tx: Tx, call: Call, *, now: datetime) -> None:
    """The call is over, whatever came of it."""
    await job_shops.put_back(tx, call.job, at=now)


def _check_all(asked: Sequence[UUID], found: Mapping[UUID, Sequence[UUID]]) -> None:
    if not asked:
        raise DomainError("Name the listings.", code="REQUIRED", field=("listings",))
    there = {each for those in found.values() for each in those}
    for place, each in enumerate(asked):
        if each not in there:
            raise not_found("listing", "listings", "ids", str(place))


async def _open_shops(
    tx: Tx, job_id: UUID, found: Mapping[UUID, Sequence[UUID]], now: datetime
) -> None:
    """Each shop's targets stand together, from the first place on."""
    last, ranges = 0, []
    for shop_id in sorted(found):
        first, last = last + 1, last + len(found[shop_id])
        ranges.append((shop_id, first, last))
    await job_shops.add(tx, job_id, WORK, ranges, at=now)


def _refusal(shop: Shop | None) -> DomainError | None:
    if shop is None:
        return None
    if not shop.in_use:
        return DomainError(
            f"{shop.name} is not in use: put it in use first.",
            code="SHOP_NOT_IN_USE",
            shop=shop.name,
        )
    spec = MALL_SPECS[shop.mall]
    return None if spec.capabilities.reads_stock else not_told(spec)


def not_told(spec: MallSpec) -> DomainError:
    """Why nobody can read what this mall shows."""
    return DomainError(
        f"{spec.name_en} does not tell what it shows: look there yourself.",
        code="NOT_SUPPORTED_BY_MALL",
        mall_name=Words(spec.name_ja, spec.name_en),
    )


def _not_read(shop: Shop) -> DomainError:
    return DomainError(
        f"{shop.name} could not be read, again and again: read it later.",
        code="MALL_FAILED",
        shop=shop.name,
    )


async def _next(tx: Tx, job: JobShop, shop: Shop, now: datetime) -> Call | None:
    at_most = MALL_SPECS[shop.mall].capabilities.max_reads_per_call
    asked, gone = await readings.next_ones(tx, job, at_most=at_most)
    if gone:
        missing = not_found("listing").as_json()
        await job_targets.note(tx, job.job_id, [(place, missing) for place in gone])
        await jobs.progress(tx, job.job_id, done=len(gone), failed=len(gone))
    if asked:
        return Call(job, shop, tuple(asked))
    if gone:
        await job_shops.later(tx, job, now)
    else:
        await job_shops.end(tx, job, JobState.DONE, at=now)
    return None


async def _note(tx: Tx, call: Call, shown: Mapping[ItemRef, StockReading]) -> None:
    unknown = DomainError(
        "The mall knows no such code: look whether it still stands there.",
        code="UNKNOWN_AT_MALL",
    ).as_json()
    outcomes = [
        (each.place, None if each.ref in shown and shown[each.ref].found else unknown)
        for each in call.asked
    ]
    done = await job_targets.note(tx, call.job.job_id, outcomes)
    failures = sum(error is not None for _, error in outcomes)
    await jobs.progress(tx, call.job.job_id, done=done, failed=failures if done else 0)


async def _give_up(tx: Tx, job: JobShop, error: DomainError, now: datetime) -> None:
    count = await readings.refuse_rest(tx, job, error.as_json())
    await jobs.progress(tx, job.job_id, done=count, failed=count, ends=False)
    await job_shops.end(tx, job, JobState.FAILED, at=now)
