"""店舗の連携解除 A shop that is given up: its secrets are erased at once, its listings show nothing of ours any more.

Its row stays, for orders and logs name it; no list shows it, and its name is free again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.model.actors import Actor
from domain.model.links import LinkState
from domain.services import links, sync_errors
from domain.services.shops import announce, known
from domain.services.sync import Why, reconsider
from domain.store import (
    account_settings,
    code_mappings,
    consents,
    jobs,
    listings,
    logs,
    orders,
    pushes,
    schedules,
    shops,
    stock,
    sync,
)
from domain.store import links as link_store
from domain.store.database import Tx
from domain.store.links import KnownLink
from domain.store.sync import SyncRow

ROWS_AT_ONCE = 5_000
Each = TypeVar("Each")


async def disconnect(
    tx: Tx, actor: Actor, shop_id: UUID, *, delete_listings: bool, now: datetime
) -> None:
    """The mall keeps its pages and their numbers. What is under way there may still arrive.

    Without `delete_listings` its listings can still be read by id, unlinked; no list shows them. Raises DomainError
    NOT_FOUND.
    """
    shop = await known(tx, shop_id)
    await orders.take_turn(tx, [shop_id])
    await account_settings.leave_base(tx, shop_id)
    await _erase(tx, shop_id, now)
    await shops.change(
        tx,
        shop_id,
        disconnected_at=now,
        in_use=False,
        orders_running=False,
        reflect_running=False,
        maintenance=False,
        notification_email=None,
        version=shop.version + 1,
    )
    await _let_go(tx, actor, shop_id, delete_listings=delete_listings, now=now)
    await sync_errors.close_all(tx, actor, shop_id, now=now)
    facts = {"name": shop.name, "mall": shop.mall.value, "listings": delete_listings}
    await logs.operation(tx, actor.as_json(), "DISCONNECT_SHOP", "SHOP", [(shop_id, facts)])
    announce(tx, shop_id)


async def _erase(tx: Tx, shop_id: UUID, now: datetime) -> None:
    """Whatever could speak to the mall, or waits to."""
    await shops.erase_credentials(tx, shop_id)
    await consents.erase(tx, shop_id)
    await code_mappings.erase(tx, shop_id)
    await schedules.erase(tx, shop_id)
    await jobs.cancel_of_shop(tx, shop_id, at=now)
    await pushes.let_go(tx, shop_id)


async def _let_go(
    tx: Tx, actor: Actor, shop_id: UUID, *, delete_listings: bool, now: datetime
) -> None:
    """Its listings belong to nothing. No other shop's listing contradicts less by that (conflicts are a shop's own)."""
    listing_ids = await sync.listings_of_shops(tx, [shop_id])
    linked = [
        link for some in _parts(listing_ids) for link in (await link_store.find(tx, some)).values()
    ]
    await stock.lock(tx, {link.product_id for link in linked if link.product_id})
    for links_of in _parts(linked):
        await _cut(tx, actor, links_of, delete_listings=delete_listings, now=now)
    await reconsider(tx, listing_ids, Why.LOOKED, now=now, change=_at_rest)


async def _cut(
    tx: Tx, actor: Actor, linked: Sequence[KnownLink], *, delete_listings: bool, now: datetime
) -> None:
    await links.cut(tx, actor, linked, LinkState.UNLINKED, now=now)
    if delete_listings:
        await listings.delete(tx, [link.listing_id for link in linked], at=now)


def _at_rest(row: SyncRow) -> SyncRow:
    """Nothing waits, and whatever is under way settles nothing here."""
    return replace(row, push_id=None, push_state=None, edited=False, failures=0)


def _parts(many: Sequence[Each]) -> Iterator[Sequence[Each]]:
    """As many as go into one statement."""
    for start in range(0, len(many), ROWS_AT_ONCE):
        yield many[start : start + ROWS_AT_ONCE]
