"""A feed on its way to the mall: taken up, put together, handed over (DESIGN §2.6).

What it carries is committed before the mall hears of it, in parts, so that no order waits for thousands of rows. A
listing that it carries waits no longer, as if its mall had accepted the number; what a feed did not bring about waits
again (feed_ends.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.model import breaker
from domain.model.errors import MallError
from domain.model.feeds import HELD, Step, next_step
from domain.model.mall_fields import travelling
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import FeedLimits, StockPush, WriteMode
from domain.model.sync_runs import RunKind
from domain.services import breakers
from domain.services.feeds import may_go
from domain.services.reflect import attempts_of, orders_are_fresh
from domain.store import feeds, pushes, shops, sync
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.feeds import Feed
from domain.store.pushes import Attempt
from domain.store.shops import Shop
from domain.store.sync import SyncRow

PART = 1_000
NO_LEASE = 0
"""The epoch of a shop's runs of this kind: one is under way at a time, whoever looks after it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A shop's feed in our hands, and what comes next with it."""

    feed: Feed
    shop: Shop
    limits: FeedLimits
    step: Step


async def take(tx: Tx, shop_id: UUID, *, now: datetime) -> Taken | None:
    """The shop's open feed, if its time has come and nobody is at it."""
    shop = await shops.get(tx, shop_id)
    limits = MALL_SPECS[shop.mall].capabilities.feed if shop else None
    if shop is None or limits is None or shop.resyncs:
        return None
    feed = await feeds.take(tx, shop_id, until=now + HELD, now=now)
    return None if feed is None else Taken(feed, shop, limits, _step(feed, shop, limits, now))


async def add_part(tx: Tx, taken: Taken, *, now: datetime) -> int | None:
    """Gives the feed some more of what may go out now: how many. None: it is another's by now."""
    shop, feed = taken.shop, taken.feed
    listing_ids = await feeds.due(
        tx, shop.id, may_go(shop, taken.limits, now), at_most=min(PART, taken.limits.most)
    )
    if not await feeds.keep(tx, feed, until=now + HELD, items=len(listing_ids)):
        return None
    if listing_ids:
        rows = await sync.lock(tx, listing_ids)
        await _carry(tx, shop, feed, rows, now)
        await run_rows.note(tx, shop.id, RunKind.FEED, NO_LEASE, sent=len(rows), at=now)
    return len(listing_ids)


async def document_part(
    tx: Tx, taken: Taken, after: UUID | None
) -> Sequence[tuple[UUID, StockPush]]:
    """The next of its numbers, in the order of the document."""
    keys = travelling(taken.shop.mall)
    return await feeds.document(tx, taken.feed, keys, after=after, at_most=PART)


async def go_on(tx: Tx, taken: Taken, *, now: datetime) -> None:
    """Whoever took it is still at it."""
    await feeds.keep(tx, taken.feed, until=now + HELD)


async def put_down(tx: Tx, taken: Taken, *, now: datetime) -> None:
    """Whoever took it was cut off: somebody else may go on at once."""
    await feeds.look_again(tx, taken.feed, now, asked=False)


async def called(tx: Tx, taken: Taken, error: MallError | None, *, now: datetime) -> None:
    """What a call for it says of the mall: whether it failed, and of what."""
    shop = await shops.lock(tx, taken.shop.id)
    if shop is not None:
        await breakers.note(tx, shop, error, now)


async def handed_over(tx: Tx, taken: Taken, name: str, *, now: datetime) -> None:
    """The mall has it, and calls it so."""
    look_at = taken.shop.at_its_pace(now + taken.limits.look_every, now)
    await feeds.accept(tx, taken.feed, name, look_at=look_at, now=now)


async def drop(tx: Tx, taken: Taken) -> None:
    """Nothing may go out after all."""
    await feeds.drop(tx, taken.feed)


async def look_again(
    tx: Tx, taken: Taken, *, at: datetime | None = None, asked: bool, now: datetime
) -> None:
    """The mall is asked how far it is `at` that time, or when it usually is. `asked`: it was, just now."""
    usual = taken.shop.at_its_pace(now + taken.limits.look_every, now)
    await feeds.look_again(tx, taken.feed, max(at or usual, usual), asked=asked)


def _step(feed: Feed, shop: Shop, limits: FeedLimits, now: datetime) -> Step:
    is_left_alone = shop.paused_until is not None and shop.paused_until > now
    fails = breaker.is_tripped(shop.failed_calls)
    waits = shop.stands_still or is_left_alone or fails or not shop.reflects
    return next_step(
        feed.facts,
        limits,
        in_use=shop.in_use,
        may_send=not waits and orders_are_fresh(shop, now),
        may_ask=not shop.stands_still and not (fails and is_left_alone),
        speed=shop.speed,
        now=now,
    )


async def _carry(tx: Tx, shop: Shop, feed: Feed, rows: Sequence[SyncRow], now: datetime) -> None:
    attempts = [
        replace(each, mode=WriteMode.ABSOLUTE) for each in await attempts_of(tx, shop, rows, now)
    ]
    waiting_since = [row.waiting_since or now for row in rows]
    await pushes.insert(tx, shop.id, feed.id, feed.epoch, attempts, waiting_since)
    await sync.save(
        tx, [_carried(row, each, feed) for row, each in zip(rows, attempts, strict=True)]
    )


def _carried(row: SyncRow, attempt: Attempt, feed: Feed) -> SyncRow:
    return replace(
        row,
        claimed=row.wanted,
        done=row.wanted,
        attempts=min(attempt.attempts, 30_000),
        push_state="SENT",
        next_try_at=None,
        feed_id=feed.id,
    )
