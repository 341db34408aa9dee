"""利用店舗設定 Which shops take part at all. One that is not in use is neither read nor written, and differs from nothing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.services import walks
from domain.services.shops import announce, not_found
from domain.store import logs, shops
from domain.store.database import Tx
from domain.store.shops import Shop

LEAVES: Mapping[str, Any] = {"in_use": False, "orders_running": False, "reflect_running": False}
COMES: Mapping[str, Any] = {"in_use": True}


async def set_shops_in_use(
    tx: Tx, actor: Actor, shop_ids: Sequence[UUID], *, now: datetime
) -> list[Shop]:
    """These shops are in use, all others are not: their switches go off. One that comes into use stands still until it
    is started; its orders are then read from where they were left.

    Answers the shops that changed. Raises DomainError NOT_FOUND.
    """
    every = await shops.lock_every(tx)
    _check_known(shop_ids, {shop.id for shop in every})
    changed = [shop for shop in every if shop.in_use is not (shop.id in shop_ids)]
    for shop in changed:
        values = LEAVES if shop.in_use else COMES
        await shops.change(tx, shop.id, **values, version=shop.version + 1)
        announce(tx, shop.id)
    targets = [(shop.id, {"name": shop.name, "in_use": not shop.in_use}) for shop in changed]
    await logs.operation(tx, actor.as_json(), "SET_SHOPS_IN_USE", "SHOP", targets)
    await walks.look_again(tx, [shop.id for shop in changed], now=now)
    return changed


def _check_known(asked: Sequence[UUID], known: Collection[UUID]) -> None:
    for place, shop_id in enumerate(asked):
        if shop_id not in known:
            raise not_found(("shop_ids", str(place)))
