"""反映: a person chooses products or listings and sends their numbers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.services import reflect_jobs, shops
from domain.services.edits import not_found
from domain.store import logs, selections, sync
from domain.store.database import Tx


async def reflect(
    tx: Tx,
    actor: Actor,
    *,
    product_ids: Sequence[UUID] | None = None,
    listing_ids: Sequence[UUID] | None = None,
    shop_ids: Sequence[UUID] | None = None,
    now: datetime,
) -> UUID:
    """Sends every listing that shows one of these products, and these listings; at the given shops, or at all. The job
    to follow.

    Raises DomainError NOT_FOUND, TOO_MANY, or REQUIRED where neither products nor listings are named.
    """
    if product_ids is None and listing_ids is None:
        raise DomainError(
            "Name the products or the listings to reflect.", code="REQUIRED", field=("products",)
        )
    products, listings = product_ids or (), listing_ids or ()
    _check(products, await selections.products_there(tx, products), "product")
    _check(listings, await selections.listings_there(tx, listings), "listing")
    chosen = {*await sync.listings_showing(tx, products), *listings}
    if shop_ids is not None:
        await shops.all_known(tx, shop_ids)
        chosen &= {*await sync.listings_of_shops(tx, shop_ids)}
    reflect_jobs.check_count(chosen, "reflect", "Name some of the shops.")
    job_id = await reflect_jobs.ask(tx, actor, chosen, now=now)
    await _log(tx, actor, "PRODUCT", products, job_id)
    await _log(tx, actor, "LISTING", listings, job_id)
    return job_id


def _check(asked: Sequence[UUID], there: Collection[UUID], what: str) -> None:
    for place, each in enumerate(asked):
        if each not in there:
            raise not_found(what, f"{what}s", "ids", str(place))


async def _log(tx: Tx, actor: Actor, kind: str, ids: Sequence[UUID], job_id: UUID) -> None:
    targets: list[tuple[UUID, Mapping[str, object]]] = [(each, {}) for each in ids]
    await logs.operation(tx, actor.as_json(), "REFLECT", kind, targets, job_id=job_id)
