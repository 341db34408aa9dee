"""Asking a shop for its orders: which window, and how far they are known afterwards (DESIGN §2.12).

Windows never lose: they reach back behind the watermark, and the watermark moves only in the transaction that stores the
window's last page, by the mall's own time. A window that ends before now says nothing of what came since: the next one
follows at once, and until then orders are not fresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.errors import MallError, MallMalformed, MallRefused, MallUnavailable
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import CancelSupport, OrderPage, OrderWindow
from domain.model.order_polls import next_poll
from domain.model.reflect import Halt, Quarantine, after_failure
from domain.model.sync_errors import Part, SyncErrorKind, is_worth_telling
from domain.model.sync_runs import RunKind
from domain.services import order_readings, sync_errors, sync_runs
from domain.services import shops as shop_service
from domain.services.order_outcomes import Seen
from domain.services.orders import NOTHING, Baseline, Taken, as_the_shop_says, take_in
from domain.store import leased_shops, leases, order_polls, orders, shops
from domain.store import sync_runs as run_rows
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop

LEASE = timedelta(seconds=20)
"""Whose importer died has nobody's orders fetched for so long; who lives says so meanwhile, however long a page takes."""

LEAST_WINDOW = timedelta(minutes=10)
REREAD_EVERY = timedelta(minutes=5)
LEAST_REREAD = timedelta(seconds=5)
SHIPPED_REREAD_EVERY = timedelta(days=1)
SHIPPED_REREAD_FOR = timedelta(days=14)
"""What is cancelled after it was shipped comes back, and some malls put it on sale again by themselves."""
CLOCKS_AGREE = timedelta(seconds=5)
LEAST_OVERLAP = timedelta(seconds=5)
"""However fast a sandbox runs, its time stamps are whole seconds and its clocks are two."""


class TurnLost(Exception):
    """Another importer has the shop by now, another time has begun for it, or it was disconnected: this one stops."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One importer's turn. `asked_at`: our time; the window is on the mall's clock. `to_the_end`: it reaches to now."""

    shop: Shop
    epoch: int
    window: OrderWindow
    asked_at: datetime
    holder: str
    to_the_end: bool = True


async def begin(tx: Tx, shop_id: UUID, holder: str, *, now: datetime) -> Poll | None:
    """Takes the shop's turn and the window to ask for; None where another has it or nothing is to be fetched."""
    taken = await leased_shops.take(tx, shop_id, LeaseKind.ORDERS, holder, LEASE)
    if taken is None:
        return None
    shop, epoch = taken.shop, taken.epoch
    if not taken.clean:
        await sync_runs.cut_short(tx, shop_id, RunKind.ORDERS, epoch, now=now)
    if not shop.fetches_orders or shop.watermark is None or shop.stands_still:
        await leases.give_back(tx, shop_id, LeaseKind.ORDERS, holder, epoch, clean=True)
        return None
    every = timedelta(seconds=shop.order_poll_seconds)
    await shops.change(tx, shop_id, next_order_poll_at=next_poll(shop_id, every, now))
    return _poll(shop, epoch, shop.watermark, holder, now)


def overlap(shop: Shop) -> timedelta:
    """How late an order may enter the mall's list: windows reach back this far behind the watermark."""
    return max(MALL_SPECS[shop.mall].capabilities.order_overlap / shop.speed, LEAST_OVERLAP)


def cancels_known_until(shop: Shop) -> datetime | None:
    """Every cancel up to then, by the mall's clock, is known; None: nobody can say that."""
    match MALL_SPECS[shop.mall].capabilities.cancels:
        case CancelSupport.SEEN:
            return shop.watermark and shop.watermark - overlap(shop)
        case CancelSupport.SEEN_ON_REREAD:
            seen = shop.cancels_seen_at
            return seen and seen + shop.clock_offset - _reread_every(shop)
        case CancelSupport.NOT_SEEN:
            return None


def _reread_every(shop: Shop) -> timedelta:
    return max(REREAD_EVERY / shop.speed, LEAST_REREAD)


def narrower(poll: Poll) -> Poll | None:
    """Half the window, for a mall that lets nobody page through all that lies in it; None where that is not the cause."""
    window = poll.window
    if window.until - window.since <= LEAST_WINDOW:
        return None
    half = window.since + (window.until - window.since) / 2
    return replace(poll, window=OrderWindow(window.since, half), to_the_end=False)


async def took(tx: Tx, poll: Poll, page: OrderPage, first: OrderPage, *, now: datetime) -> bool:
    """Stores a page; with the last one the watermark moves, as far as the mall's own clock says. Where there is no more to
    do, the turn is given back with it: is it over? A page that tells nothing may be lost: it would be asked for again.
    Raises TurnLost."""
    shop = await still_ours(tx, poll)
    if page is first:
        shop = await _note_clock(tx, poll, shop, first, now)
    taken = await take_page(tx, shop, page, asked_at=poll.asked_at, now=now)
    await _note(tx, poll, taken, now)
    if taken.is_nothing:
        tx.may_be_lost()
    if not page.last or await _walked(tx, shop, poll, first, now):
        return False
    if taken.is_nothing and page is first:
        await _give_back(tx, poll)
    else:
        await end(tx, poll, now=now)
    return True


async def still_ours(tx: Tx, poll: Poll) -> Shop:
    """The shop as it is now, locked with its lease and before its orders are. Raises TurnLost."""
    shop = await leased_shops.lock(tx, poll.shop.id, LeaseKind.ORDERS, poll.epoch)
    if shop is None or shop.resyncs:
        raise TurnLost
    return shop


async def to_reread(tx: Tx, shop: Shop, *, now: datetime) -> list[str] | None:
    """Open orders whose cancel no window would show, and those that could not be read, longest unseen first; then those that
    were shipped. None: it is not their time yet."""
    if not _may_reread(shop, now):
        return None
    every = _reread_every(shop)
    at_mall, at_most = now + shop.clock_offset, rereads(shop)
    unseen = MALL_SPECS[shop.mall].capabilities.cancels is CancelSupport.SEEN_ON_REREAD
    numbers = await orders.open_numbers(
        tx, shop.id, before=at_mall - every, unread_only=not unseen, at_most=at_most
    )
    if unseen and len(numbers) < at_most:
        numbers += await orders.shipped_numbers(
            tx,
            shop.id,
            since=at_mall - SHIPPED_REREAD_FOR,
            before=at_mall - max(SHIPPED_REREAD_EVERY / shop.speed, LEAST_REREAD),
            at_most=at_most - len(numbers),
        )
    return numbers


def _may_reread(shop: Shop, now: datetime) -> bool:
    seen_at = shop.cancels_seen_at
    return seen_at is None or now - seen_at >= _reread_every(shop)


def rereads(shop: Shop) -> int:
    """How many orders are asked for by their numbers in one turn: turns follow each other as the shop's polls do."""
    pace = MALL_SPECS[shop.mall].capabilities.rereads
    due = pace.a_minute * shop.speed * shop.order_poll_seconds / 60
    return max(1, int(min(pace.at_once, due)))


async def reread(
    tx: Tx, poll: Poll, page: OrderPage | None, *, asked: Sequence[str], now: datetime
) -> None:
    """Open orders as they are now; fewer `asked` for than there may be at once: no cancel is unseen. Where there are more,
    cancels are known as far as the one that was asked for the longest ago. No page: there was nothing to ask for. Raises
    TurnLost."""
    shop = await still_ours(tx, poll)
    if page is not None:
        taken = await take_page(tx, shop, page, asked_at=poll.asked_at, now=now)
        await _note(tx, poll, taken, now)
    seen_at = now if len(asked) < rereads(poll.shop) else await _cancels_seen_at(tx, shop, now)
    await shops.change(tx, shop.id, cancels_seen_at=max(seen_at, shop.cancels_seen_at or seen_at))


async def _cancels_seen_at(tx: Tx, shop: Shop, now: datetime) -> datetime:
    """All that is open was asked for since then."""
    longest = await orders.longest_unseen(tx, shop.id)
    return now if longest is None else min(now, longest - shop.clock_offset)


async def failed(tx: Tx, poll: Poll, error: MallError, *, now: datetime) -> None:
    """The watermark stays; what is asked again is asked from there. Raises TurnLost: it is for whoever has the shop now to
    say how its mall is."""
    shop = await still_ours(tx, poll)
    if isinstance(error, MallUnavailable) and error.maintenance:
        await shop_service.maintenance(tx, shop, on=True)
    error_id = await _report(tx, replace(shop, version=poll.shop.version), error, now)
    if is_worth_telling(error):
        await run_rows.note(
            tx, poll.shop.id, RunKind.ORDERS, poll.epoch, broken=True, error_id=error_id, at=now
        )


async def _report(tx: Tx, shop: Shop, error: MallError, now: datetime) -> UUID | None:
    """The error that says so, and when the shop is asked again. `shop`: of the version that the mall was asked for."""
    if isinstance(error, MallRefused):
        error = MallMalformed(error.message, excerpt=error.mall_message, mall_code=error.mall_code)
    decision = after_failure(error, 1, now=now)
    if isinstance(decision, Halt):
        return await shop_service.halt(tx, shop, error, now=now)
    again = decision.until if isinstance(decision, Quarantine) else decision.at
    again = max(shop.at_its_pace(again, now), now + timedelta(seconds=shop.order_poll_seconds))
    await shops.change(tx, shop.id, next_order_poll_at=again)
    return await sync_errors.report_failure(
        tx,
        error,
        Part.ORDERS,
        shop_id=shop.id,
        shop_name=shop.name,
        next_try_at=again,
        now=now,
    )


async def go_on(tx: Tx, poll: Poll) -> bool:
    """It is still at it. False: another has the shop by now, as it will find out when it stores a page."""
    return await leases.renew(tx, poll.shop.id, LeaseKind.ORDERS, poll.holder, poll.epoch, LEASE)


async def end(tx: Tx, poll: Poll, *, now: datetime) -> None:
    await sync_runs.end(tx, poll.shop.id, RunKind.ORDERS, poll.epoch, now=now)
    await _give_back(tx, poll)


async def _give_back(tx: Tx, poll: Poll) -> None:
    """No run is left open under it."""
    await leases.give_back(tx, poll.shop.id, LeaseKind.ORDERS, poll.holder, poll.epoch, clean=True)


async def _note(tx: Tx, poll: Poll, taken: Taken, now: datetime) -> None:
    """A poll that brings nothing is no run."""
    if not taken.is_nothing:
        await run_rows.note(
            tx,
            poll.shop.id,
            RunKind.ORDERS,
            poll.epoch,
            taken=taken.orders + taken.unread,
            refused=taken.unread,
            at=now,
        )


def _poll(shop: Shop, epoch: int, watermark: datetime, holder: str, now: datetime) -> Poll:
    spec = MALL_SPECS[shop.mall].capabilities
    since = watermark - overlap(shop)
    end = max(since, now + shop.clock_offset - spec.order_lag / shop.speed)
    until = min(end, since + spec.max_order_window)
    return Poll(shop, epoch, OrderWindow(since, until), now, holder, until == end)


async def _walked(tx: Tx, shop: Shop, poll: Poll, first: OrderPage, now: datetime) -> bool:
    """Is there more to do in this turn: orders to read again, or listings in doubt to decide on?"""
    lag = MALL_SPECS[shop.mall].capabilities.order_lag / shop.speed
    watermark = min(poll.window.until, first.observed_at - lag)
    known = max(watermark, shop.watermark or watermark)
    left = await order_polls.walked(
        tx,
        shop.id,
        watermark=watermark,
        seen_at=poll.asked_at if poll.to_the_end else None,
        known_until=known - overlap(shop),
        cancels_known_until=cancels_known_until(replace(shop, watermark=known)),
    )
    if not poll.to_the_end:
        await shops.change(tx, shop.id, next_order_poll_at=now)
        tx.ring(shop.id, "ORDERS")
    if shop.maintenance:
        await shops.change(tx, shop.id, paused_until=None)
        await shop_service.maintenance(tx, shop, on=False)
    if left.errors:
        await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, part=Part.ORDERS, now=now)
    return left.doubts or _may_reread(shop, now)


async def take_page(
    tx: Tx,
    shop: Shop,
    page: OrderPage,
    *,
    asked_at: datetime,
    baseline: Baseline = as_the_shop_says,
    now: datetime,
) -> Taken:
    """What could not be read is noted by its number and asked for again; told once, however often that fails.

    `asked_at`: our time; the page was asked for then or later.
    """
    if page.is_empty:
        return NOTHING
    await orders.take_turn(tx, [shop.id])
    new = await orders.mark_unread(tx, shop.id, sorted(page.unreadable), page.observed_at)
    if new:
        reason = page.unreadable[new[0]]
        await sync_errors.report(
            tx,
            SyncErrorKind.ORDER_UNREADABLE,
            shop_id=shop.id,
            shop_name=shop.name,
            count=len(new),
            error=MallError(reason, mall_message=f"{new[0]}: {reason}"),
            now=now,
        )
    told = await order_readings.news(tx, shop.id, page, within=_reread_every(shop) / 2)
    seen = Seen(told, page.observed_at, _answered_at(shop, page, asked_at, now))
    taken = await take_in(tx, shop, seen, baseline=baseline, now=now)
    return replace(taken, unread=len(new))


def _answered_at(shop: Shop, page: OrderPage, asked_at: datetime, now: datetime) -> datetime:
    """By then, on the mall's clock, the page was here. By ours alone it would not be said: a mall that is some seconds ahead
    tells of what seems to lie before us."""
    ours = now + shop.clock_offset
    return max(ours, min(page.observed_at + (now - asked_at), ours + CLOCKS_AGREE))


async def _note_clock(tx: Tx, poll: Poll, shop: Shop, first: OrderPage, now: datetime) -> Shop:
    """How far the mall's clock stands from ours, where it cannot be the call's own length; the shop that knows it."""
    ours = min(max(first.observed_at, poll.asked_at), now)
    offset = first.observed_at - ours
    if abs(offset - poll.shop.clock_offset) <= CLOCKS_AGREE:
        return shop
    milliseconds = int(offset.total_seconds() * 1000)
    await shops.change(tx, poll.shop.id, clock_offset_ms=milliseconds)
    return replace(shop, clock_offset_ms=milliseconds)
