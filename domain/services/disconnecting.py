"""店舗の連携解除 A shop that is given up: its secrets are erased at once, its listings show nothing of ours any more.

Its row stays, for orders and logs name it; no list shows it, and its name is free again.
"""

from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.services import sync_errors, sync_runs, walks
from domain.services.shops import announce, known
from domain.store import (
    account_settings,
    code_mappings,
    consents,
    jobs,
    logs,
    orders,
    pushes,
    schedules,
    shops,
)
from domain.store.database import Tx


async def disconnect(
    tx: Tx, actor: Actor, shop_id: UUID, *, delete_listings: bool, now: datetime
) -> None:
    """The mall keeps its pages and their numbers. What is under way there may still arrive.

    Without `delete_listings` its listings can still be read by id, unlinked; no list shows them. Where they are many that
    is done part by part. Raises DomainError NOT_FOUND.
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
    await walks.let_go(tx, actor, shop_id, delete_listings=delete_listings, now=now)
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
    await sync_runs.given_up(tx, shop_id, now=now)
