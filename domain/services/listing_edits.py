"""What a person sets on single listings: limits of the number to show, and whether it is pushed at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from domain.model.actors import Actor
from domain.model.stock import check_limits
from domain.services import edits
from domain.services.edits import ListingChange
from domain.store import listings, logs
from domain.store.database import Tx
from domain.store.listings import Changed


class Limits(TypedDict, total=False):
    """What is left out stays; None: no limit."""

    minimum: int | None
    maximum: int | None


async def set_limits(
    tx: Tx,
    actor: Actor,
    listing_ids: Sequence[UUID],
    *,
    expected_version: int | None = None,
    reflect: bool | None = None,
    now: datetime,
    **limits: Unpack[Limits],
) -> ListingChange:
    """The minimum and maximum of listings. `expected_version` is that of each of them.

    Raises DomainError INVALID_VALUE or VERSION_CHANGED. Refused: NOT_FOUND.
    """
    minimum, maximum = limits.get("minimum"), limits.get("maximum")
    check_limits(minimum, maximum)
    versions = await listings.lock_versions(tx, listing_ids)
    for version in versions.values():
        edits.check_version(version, expected_version)
    changed = await listings.set_limits(
        tx,
        list(versions),
        minimum=minimum,
        sets_minimum="minimum" in limits,
        maximum=maximum,
        sets_maximum="maximum" in limits,
    )
    facts = {
        name: value
        for name, value in (("minimum", minimum), ("maximum", maximum))
        if name in limits
    }
    await _log_changed(tx, actor, "SET_LIMITS", changed, facts)
    job_id = await edits.edited(tx, actor, versions.keys(), reflect, now=now)
    return ListingChange(tuple(versions), edits.missing(listing_ids, versions, "listing"), job_id)


async def set_sync(
    tx: Tx,
    actor: Actor,
    listing_ids: Sequence[UUID],
    *,
    on: bool,
    reflect: bool | None = None,
    now: datetime,
) -> ListingChange:
    """連携: is the number of these listings pushed at all? Orders on them count either way. Refused: NOT_FOUND."""
    versions = await listings.lock_versions(tx, listing_ids)
    changed = await listings.set_sync(tx, list(versions), on=on)
    await _log_changed(tx, actor, "SET_SYNC", changed, {"sync": on})
    job_id = await edits.edited(tx, actor, [each.id for each in changed], reflect, now=now)
    return ListingChange(tuple(versions), edits.missing(listing_ids, versions, "listing"), job_id)


async def _log_changed(
    tx: Tx,
    actor: Actor,
    action: str,
    changed: Sequence[Changed],
    after: Mapping[str, int | bool | None],
) -> None:
    targets = [
        (each.id, {"before": {name: getattr(each, name) for name in after}, "after": after})
        for each in changed
    ]
    await logs.operation(tx, actor.as_json(), action, "LISTING", targets)
