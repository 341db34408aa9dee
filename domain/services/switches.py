"""The switches: of a shop's orders, of its reflect, and the account's master switch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.mall_specs import MALL_SPECS
from domain.model.shops import SyncPart
from domain.services import walks
from domain.services.shops import all_known, announce
from domain.store import accounts, logs, shops
from domain.store.database import Tx
from domain.store.shops import Shop

BOTH = tuple(SyncPart)


async def start_sync(
    tx: Tx,
    actor: Actor,
    shop_ids: Sequence[UUID] | None,
    parts: Collection[SyncPart] = (),
    *,
    now: datetime,
) -> list[Shop]:
    """Switches shops on, both parts unless some are named; None is the account's master switch.

    Orders from before a shop's first start count as in its stock already. What differs goes out at once.
    Raises DomainError NOT_FOUND or SHOP_NOT_IN_USE.
    """
    if shop_ids is None:
        return await _switch_account(tx, actor, "START_SYNC", running=True, now=now)
    found = await all_known(tx, shop_ids)
    check_in_use(found)
    changes = [_started(shop, parts or BOTH, now) for shop in found]
    for shop, change in zip(found, changes, strict=True):
        if change.get("orders_running"):
            tx.ring(shop.id, "ORDERS")
    return await _switch(tx, actor, "START_SYNC", found, changes, now=now)


async def stop_sync(
    tx: Tx,
    actor: Actor,
    shop_ids: Sequence[UUID] | None,
    parts: Collection[SyncPart] = (),
    *,
    now: datetime,
) -> list[Shop]:
    """Switches shops off, both parts unless some are named; None is the account's master switch.

    What waits is held; a call that is under way still ends. Raises DomainError NOT_FOUND.
    """
    if shop_ids is None:
        return await _switch_account(tx, actor, "STOP_SYNC", running=False, now=now)
    found = await all_known(tx, shop_ids)
    changes = [_stopped(shop, parts or BOTH) for shop in found]
    return await _switch(tx, actor, "STOP_SYNC", found, changes, now=now)


def check_in_use(found: Sequence[Shop]) -> None:
    """Raises DomainError SHOP_NOT_IN_USE."""
    for shop in found:
        if not shop.in_use:
            raise DomainError(
                f"{shop.name} is not in use: put it in use first.",
                field=("shop_ids",),
                code="SHOP_NOT_IN_USE",
                shop=shop.name,
            )


def _started(shop: Shop, parts: Collection[SyncPart], now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if SyncPart.REFLECT in parts and not shop.reflect_running:
        values["reflect_running"] = True
    if SyncPart.ORDERS in parts and not shop.orders_running:
        at_mall = now + shop.clock_offset
        overlap = MALL_SPECS[shop.mall].capabilities.order_overlap / shop.speed
        values |= {
            "orders_running": True,
            "next_order_poll_at": now,
            "effective_from": shop.effective_from or at_mall,
            "watermark": shop.watermark or at_mall - overlap,
        }
    return values


def _stopped(shop: Shop, parts: Collection[SyncPart]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if SyncPart.REFLECT in parts and shop.reflect_running:
        values["reflect_running"] = False
    if SyncPart.ORDERS in parts and shop.orders_running:
        values["orders_running"] = False
    return values


async def _switch(
    tx: Tx,
    actor: Actor,
    action: str,
    found: Sequence[Shop],
    changes: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> list[Shop]:
    """Writes the switches that move, and looks at the listings of the shops whose reflect they are."""
    moved = [(shop, change) for shop, change in zip(found, changes, strict=True) if change]
    for shop, change in moved:
        await shops.change(tx, shop.id, **change)
        announce(tx, shop.id)
    facts = [(shop.id, {"name": shop.name, **change}) for shop, change in moved]
    await logs.operation(tx, actor.as_json(), action, "SHOP", facts)
    reflecting = [shop.id for shop, change in moved if "reflect_running" in change]
    if reflecting:
        await walks.look_again(tx, reflecting, now=now)
    return [replace(shop, **change) for shop, change in zip(found, changes, strict=True)]


async def _switch_account(
    tx: Tx, actor: Actor, action: str, *, running: bool, now: datetime
) -> list[Shop]:
    """The master switch: every shop's listings follow it."""
    found = [replace(shop, account_running=running) for shop in await shops.lock_every(tx)]
    moved = await accounts.switch(tx, running=running)
    if not moved:
        return found
    await logs.operation(tx, actor.as_json(), action, "ACCOUNT", [(tx.account_id, {})])
    for shop in found:
        announce(tx, shop.id)
    await walks.look_again(tx, [shop.id for shop in found], now=now)
    return found
