"""全件同期 Full syncs: every listing of a shop is sent, whatever its mall seems to show. Orders overtake it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.services import reflect_jobs, shops
from domain.store import logs, sync, sync_runs
from domain.store.database import Tx
from domain.store.shops import Shop


async def start(tx: Tx, actor: Actor, shop_ids: Sequence[UUID], *, now: datetime) -> UUID:
    """The job to follow. What may not be sent now is held in it, and is no error.

    Raises DomainError REQUIRED where no shop is named, NOT_FOUND, TOO_MANY, or ALREADY_RUNNING where a full sync of one
    of the shops is not over.
    """
    if not shop_ids:
        raise DomainError("Name the shops.", code="REQUIRED", field=("shop_ids",))
    found = await shops.all_known(tx, shop_ids)
    await _check_free(tx, found)
    listing_ids = await sync.listed(tx, shop_ids)
    reflect_jobs.check_count(listing_ids, "full sync", "Name fewer shops.")
    job_id = await reflect_jobs.ask(tx, actor, listing_ids, sweeps=True, now=now)
    await sync_runs.open_of_job(tx, job_id, shop_ids, at=now)
    await sync_runs.end_of_job(tx, job_id)
    targets: list[tuple[UUID, Mapping[str, object]]] = [
        (shop.id, {"name": shop.name}) for shop in found
    ]
    await logs.operation(tx, actor.as_json(), "FULL_SYNC", "SHOP", targets, job_id=job_id)
    return job_id


async def _check_free(tx: Tx, found: Sequence[Shop]) -> None:
    """Of locked shops."""
    busy = await sync_runs.syncing(tx, [shop.id for shop in found])
    for shop in found:
        if shop.id in busy:
            raise DomainError(
                f"A full sync of {shop.name} is under way already: wait, or cancel that first.",
                field=("shop_ids",),
                code="ALREADY_RUNNING",
                syncing=shop.name,
            )
