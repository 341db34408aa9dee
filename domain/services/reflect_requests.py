"""反映: a person chooses products or listings and sends their numbers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.services import reflect_jobs, shops
from domain.services.edits import not_found
from domain.store import links, logs, stock, sync
from domain.store.database import Tx


async def reflect(
    tx: Tx,
    actor: Actor,
    *,
    product_ids: Sequence[UUID] = (),
    listing_ids: Sequence[UUID] = (),
    shop_ids: Sequence[UUID] | None = None,
    now: datetime,
) -> UUID:
    """Sends every listing that shows one of these products, and these listings; at the given shops, or at all. The job
    to follow.

    Raises DomainError NOT_FOUND, or REQUIRED where neither products nor listings are named.
    """
    if not (product_ids or listing_ids):
        raise DomainError(
            "Name the products or the listings to reflect.", code="REQUIRED", field=("products",)
        )
    _check(product_ids, await stock.lock(tx, product_ids), "product")
    _check(listing_ids, await links.find(tx, listing_ids), "listing")
    await _log(tx, actor, "PRODUCT", product_ids)
    await _log(tx, actor, "LISTING", listing_ids)
    chosen = {*await sync.listings_showing(tx, product_ids), *listing_ids}
    if shop_ids is not None:
        await shops.all_known(tx, shop_ids)
        chosen &= {*await sync.listings_of_shops(tx, shop_ids)}
    return await reflect_jobs.ask(tx, actor, chosen, now=now)


def _check(asked: Sequence[UUID], there: Collection[UUID], what: str) -> None:
    for place, each in enumerate(asked):
        if each not in there:
            raise not_found(what, f"{what}s", "ids", str(place))


async def _log(tx: Tx, actor: Actor, kind: str, ids: Sequence[UUID]) -> None:
    await logs.operation(tx, actor.as_json(), "REFLECT", kind, [(each, {}) for each in ids])
