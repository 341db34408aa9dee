"""Asking a shop for its orders: which window, and how far they are known afterwards (DESIGN §2.12).

Windows never lose: they reach back behind the watermark, and the watermark moves only in the transaction that stores the
window's last page, by the mall's own time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.errors import MallError
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallOrder, OrderPage, OrderStatus, OrderWindow
from domain.model.reflect import Halt, Quarantine, after_failure
from domain.model.sync_errors import SyncErrorKind
from domain.services import shops as shop_service
from domain.services import sync_errors
from domain.services.orders import Seen, Taken, take
from domain.store import leases, orders, shops
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop

LEASE = timedelta(seconds=60)
REREAD_EVERY = timedelta(minutes=5)
LEAST_REREAD = timedelta(seconds=5)
REREAD_AT_MOST = 20
CLOCKS_AGREE = timedelta(seconds=5)
LEAST_OVERLAP = timedelta(seconds=5)
"""However fast a sandbox runs, its time stamps are whole seconds and its clocks are two."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One importer's turn. `asked_at`: our time; the window is on the mall's clock."""

    shop: Shop
    epoch: int
    window: OrderWindow
    asked_at: datetime


async def begin(tx: Tx, shop_id: UUID, holder: str, *, now: datetime) -> Poll | None:
    """Takes the shop's turn and the window to ask for; None where another has it or nothing is to be fetched."""
    epoch = await leases.take(tx, shop_id, LeaseKind.ORDERS, holder, LEASE)
    if epoch is None:
        return None
    shop = await shops.get(tx, shop_id)
    if (
        shop is None
        or not shop.fetches_orders
        or shop.watermark is None
        or shop.state in ("HALTED", "PROBING")
    ):
        await leases.give_back(tx, shop_id, LeaseKind.ORDERS, holder, epoch)
        return None
    await shops.change(
        tx, shop_id, next_order_poll_at=now + timedelta(seconds=shop.order_poll_seconds)
    )
    return Poll(shop, epoch, _window(shop, shop.watermark, now), now)


async def took(tx: Tx, poll: Poll, page: OrderPage, first: OrderPage, *, now: datetime) -> Taken:
    """Stores a page; with the last one the watermark moves, as far as the mall's own clock says."""
    shop = await shops.lock(tx, poll.shop.id) or poll.shop
    seen = Seen(_with_unreadable(page), page.observed_at, now + shop.clock_offset)
    taken = await take(tx, shop, seen, now=now)
    await _report_unreadable(tx, shop, page, now)
    if page.last:
        lag = MALL_SPECS[shop.mall].capabilities.order_lag / shop.speed
        watermark = min(poll.window.until, first.observed_at - lag)
        await shops.polled(tx, shop.id, watermark=watermark, seen_at=poll.asked_at)
        await _note_clock(tx, poll, first, now)
        await sync_errors.resolve(tx, shop.id, sync_errors.TRANSIENT, now=now)
    return taken


async def to_reread(tx: Tx, shop: Shop, *, now: datetime) -> list[str]:
    """Open orders whose cancel no window would show, longest unseen first."""
    every = max(REREAD_EVERY / shop.speed, LEAST_REREAD)
    if shop.cancels_seen_at is not None and now - shop.cancels_seen_at < every:
        return []
    before = now + shop.clock_offset - every
    numbers = await orders.open_numbers(tx, shop.id, before=before, at_most=REREAD_AT_MOST)
    if len(numbers) < REREAD_AT_MOST:
        await shops.change(tx, shop.id, cancels_seen_at=now)
    return numbers


async def reread(tx: Tx, shop: Shop, page: OrderPage, *, now: datetime) -> Taken:
    """Open orders as they are now."""
    await _report_unreadable(tx, shop, page, now)
    return await take(
        tx, shop, Seen(page.orders, page.observed_at, now + shop.clock_offset), now=now
    )


async def failed(tx: Tx, shop: Shop, error: MallError, *, now: datetime) -> None:
    """The watermark stays; what is asked again is asked from there."""
    decision = after_failure(error, 1, now=now)
    if isinstance(decision, Halt):
        await shop_service.halt(tx, shop, error, now=now)
        return
    again = decision.until if isinstance(decision, Quarantine) else decision.at
    again = max(shop.at_its_pace(again, now), now + timedelta(seconds=shop.order_poll_seconds))
    await shops.change(tx, shop.id, next_order_poll_at=again)
    await sync_errors.report_failure(
        tx, error, shop_id=shop.id, shop_name=shop.name, next_try_at=again, now=now
    )


async def end(tx: Tx, poll: Poll, holder: str) -> None:
    await leases.give_back(tx, poll.shop.id, LeaseKind.ORDERS, holder, poll.epoch)


def _window(shop: Shop, watermark: datetime, now: datetime) -> OrderWindow:
    spec = MALL_SPECS[shop.mall].capabilities
    since = watermark - max(spec.order_overlap / shop.speed, LEAST_OVERLAP)
    until = now + shop.clock_offset - spec.order_lag / shop.speed
    return OrderWindow(since, max(since, min(until, since + spec.max_order_window)))


def _with_unreadable(page: OrderPage) -> list[MallOrder]:
    """An order that could not be read is kept by its number, without lines: it is read again until it can be."""
    unread = [
        MallOrder(number, page.observed_at, OrderStatus.HOLDS, ())
        for number in sorted(page.unreadable)
    ]
    return [*page.orders, *unread]


async def _report_unreadable(tx: Tx, shop: Shop, page: OrderPage, now: datetime) -> None:
    if page.unreadable:
        number, reason = sorted(page.unreadable.items())[0]
        await sync_errors.report(
            tx,
            SyncErrorKind.ORDER_UNREADABLE,
            shop_id=shop.id,
            shop_name=shop.name,
            count=len(page.unreadable),
            error=MallError(reason, mall_message=f"{number}: {reason}"),
            now=now,
        )


async def _note_clock(tx: Tx, poll: Poll, first: OrderPage, now: datetime) -> None:
    """How far the mall's clock stands from ours, where it cannot be the call's own length."""
    ours = min(max(first.observed_at, poll.asked_at), now)
    offset = first.observed_at - ours
    if abs(offset - poll.shop.clock_offset) > CLOCKS_AGREE:
        await shops.change(tx, poll.shop.id, clock_offset_ms=int(offset.total_seconds() * 1000))
