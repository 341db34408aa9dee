"""Looking at every listing of shops again: at once where they are few, else in a walk, part by part.

A shop of many thousand listings would hold its row for longer than leases and statements live. So a walk is noted in the
transaction that gave cause to it, and workers do it, a part a transaction, in id order. Each part reads the shop as it is
by then; whatever is claimed, fetched or read back meanwhile looks at the shop itself, so that a row which was not looked
at yet is late, never wrong. Whoever notes or does a part of a walk holds the shop's row.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.model import base
from domain.model.actors import Actor
from domain.model.events import EventKind
from domain.model.reflect import after_stumble
from domain.model.shops import ShopState
from domain.services import letting_go
from domain.services.sync import Change, Why, reconsider, unchanged
from domain.store import jobs, shops, walks
from domain.store.database import Event, Tx
from domain.store.shops import Shop
from domain.store.sync import SyncRow
from domain.store.walks import LetsGo, Walk

AT_ONCE = 1_000
PART = 500
"""Few enough that an order, or what a mall answered, waits for a part only for a moment."""

LENGTH = timedelta(seconds=20)
"""How long a part may take, before another worker takes the walk up."""


async def look_again(
    tx: Tx, shop_ids: Collection[UUID], *, forget: bool = False, now: datetime
) -> None:
    """What these locked shops' listings should show, and whether it may go out, is worked out anew. `forget`: nobody
    knows any more what the malls' counters read."""
    listing_ids = await walks.few(tx, shop_ids, at_most=AT_ONCE)
    if listing_ids is None:
        await begin(tx, shop_ids, forget=forget, now=now)
    else:
        await reconsider(tx, listing_ids, Why.HAPPENED, now=now, change=_change(forget=forget))


async def let_go(
    tx: Tx, actor: Actor, shop_id: UUID, *, delete_listings: bool, now: datetime
) -> None:
    """A shop was disconnected: its listings belong to nothing any more."""
    listing_ids = await walks.few(tx, [shop_id], at_most=AT_ONCE)
    if listing_ids is None:
        lets_go = LetsGo(actor, delete_listings)
        await walks.begin(tx, [shop_id], lets_go=lets_go, at=now)
        return
    await walks.end(tx, shop_id)
    await letting_go.let_go(tx, actor, listing_ids, delete_listings=delete_listings, now=now)


async def begin(tx: Tx, shop_ids: Collection[UUID], *, forget: bool, now: datetime) -> None:
    """A walk through each of these locked shops, from the first listing on, whatever walk is under way there."""
    await walks.begin(tx, shop_ids, forget=forget, at=now)
    for shop_id in shop_ids:
        _announce(tx, shop_id)


async def take_up(tx: Tx, shop_id: UUID, *, now: datetime) -> Walk | None:
    """The shop's walk, in our hands until it is put down or LENGTH is over. None where there is none, or another has it."""
    return await walks.take_up(tx, shop_id, at=now, until=now + LENGTH)


async def do_part(tx: Tx, walk: Walk, *, at_most: int = PART, now: datetime) -> bool:
    """Looks at the next listings of a walk that was taken up; is there more to do?

    What changed is told at the end, as one: read the screen again.
    """
    shop = await shops.lock(tx, walk.shop_id)
    there = await walks.go_on(tx, walk, until=now + LENGTH)
    if there is None:
        return False
    listing_ids = await walks.next_ones(tx, there.shop_id, there.after, at_most=at_most)
    await _look(tx, there, listing_ids, now)
    tx.events = [event for event in tx.events if event.kind is not EventKind.DIFF]
    if len(listing_ids) == at_most:
        await walks.reached(tx, there.shop_id, listing_ids[-1])
        return True
    await _end(tx, there.shop_id, shop)
    return False


async def stumbled(tx: Tx, walk: Walk, *, now: datetime) -> None:
    """A part failed through a fault of ours: again later, ever more rarely. Nothing, where the walk is another's by now."""
    await shops.lock(tx, walk.shop_id)
    there = await walks.go_on(tx, walk, until=now)
    if there is not None:
        failures = there.failures + 1
        await walks.later(tx, there.shop_id, after_stumble(failures, now=now), failures=failures)


async def put_down(tx: Tx, walk: Walk, *, now: datetime) -> None:
    """Somebody else may go on at once. Nothing, where the walk is over, another's or to be tried later."""
    await walks.put_down(tx, walk, at=now)


async def _end(tx: Tx, shop_id: UUID, shop: Shop | None) -> None:
    await walks.end(tx, shop_id)
    _announce(tx, shop_id)
    tx.emit(Event(EventKind.RELOAD))
    if shop is not None and shop.state == ShopState.CATCHING_UP:
        tx.ring(shop_id, jobs.CHECK)


async def _look(tx: Tx, walk: Walk, listing_ids: Sequence[UUID], now: datetime) -> None:
    if walk.lets_go is None:
        change = _change(forget=walk.forget)
        await reconsider(tx, listing_ids, Why.HAPPENED, now=now, change=change)
    else:
        actor, delete = walk.lets_go.actor, walk.lets_go.delete_listings
        await letting_go.let_go(tx, actor, listing_ids, delete_listings=delete, now=now)


def _change(*, forget: bool) -> Change:
    return _forgotten if forget else unchanged


def _forgotten(row: SyncRow) -> SyncRow:
    return replace(row, base=base.unknown(row.base))


def _announce(tx: Tx, shop_id: UUID) -> None:
    """Tells those who follow the shop whether its listings are still looked at."""
    tx.emit(Event(EventKind.SHOP, node_id=shop_id, shop_id=shop_id))
