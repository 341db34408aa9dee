"""モール別項目 Fields of the malls' own that travel with stock: set by a person, read from a mall, sent with a reflect."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.mall_fields import FieldChange, checked_change, travelling
from domain.model.malls import ItemRef, MallKind, StockReading
from domain.services import edits, reflect_jobs
from domain.services.edits import ListingChange, Refused
from domain.services.sync import Why, reconsider
from domain.store import listing_fields, logs
from domain.store.database import Tx
from domain.store.listing_fields import NewField


async def set_fields(
    tx: Tx,
    actor: Actor,
    listing_ids: Sequence[UUID],
    changes: Sequence[FieldChange],
    *,
    reflect: bool | None = None,
    now: datetime,
) -> ListingChange:
    """Each change on each listing; it goes out with the listing's next number.

    Refused listings keep all of their fields: NOT_FOUND, NOT_SUPPORTED_BY_MALL, INVALID_VALUE.
    """
    malls = await listing_fields.lock(tx, listing_ids)
    checked, refused = _checked(malls, changes)
    for place, change in enumerate(changes):
        fields = [_new(listing_id, kept[place]) for listing_id, kept in checked.items()]
        await listing_fields.set_fields(
            tx,
            fields,
            actor.as_json(),
            sets_value=change.sets_value,
            sets_owner=change.owner is not None,
        )
    await listing_fields.changed(tx, list(checked))
    await _log(tx, actor, list(checked), changes)
    job_id = await _send(tx, actor, list(checked), reflect, now)
    missing = edits.missing(listing_ids, malls, "listing")
    return ListingChange(tuple(checked), (*missing, *refused), job_id)


async def read_at_mall(
    tx: Tx,
    mall: MallKind,
    listing_ids: Mapping[ItemRef, UUID],
    readings: Sequence[StockReading],
    *,
    now: datetime,
) -> None:
    """What a mall was seen with beside its numbers."""
    keys = travelling(mall)
    seen = {
        listing_ids[reading.ref]: {
            key: value for key, value in reading.fields.items() if key in keys
        }
        for reading in readings
        if reading.ref in listing_ids
    }
    await listing_fields.note_read(tx, seen, at=now)


def _checked(
    malls: Mapping[UUID, MallKind], changes: Sequence[FieldChange]
) -> tuple[dict[UUID, list[FieldChange]], list[Refused]]:
    """By listing its changes, as they are to be kept; and the listings whose mall does not take one of them."""
    by_mall: dict[MallKind, list[FieldChange] | DomainError] = {}
    for mall in set(malls.values()):
        try:
            by_mall[mall] = [checked_change(mall, change) for change in changes]
        except DomainError as error:
            by_mall[mall] = error
    checked: dict[UUID, list[FieldChange]] = {}
    refused = []
    for listing_id, mall in malls.items():
        kept = by_mall[mall]
        if isinstance(kept, DomainError):
            refused.append(Refused(listing_id, kept))
        else:
            checked[listing_id] = kept
    return checked, refused


def _new(listing_id: UUID, change: FieldChange) -> NewField:
    owner = change.owner.value if change.owner else None
    return NewField(listing_id, change.key, change.value, change.sets_value, owner)


async def _send(
    tx: Tx, actor: Actor, listing_ids: Sequence[UUID], reflect: bool | None, now: datetime
) -> UUID | None:
    """A number goes out for the sake of its fields even where the mall shows it already."""
    if not listing_ids:
        return None
    if reflect:
        return await reflect_jobs.ask(tx, actor, listing_ids, now=now)
    if await edits.why(tx, reflect) is Why.HAPPENED:
        await reconsider(tx, listing_ids, Why.ASKED, now=now)
    return None


async def _log(
    tx: Tx, actor: Actor, listing_ids: Sequence[UUID], changes: Sequence[FieldChange]
) -> None:
    facts = {
        change.key: {
            **({"value": change.value} if change.sets_value else {}),
            **({"owner": change.owner.value} if change.owner else {}),
        }
        for change in changes
    }
    targets = [(listing_id, {"fields": facts}) for listing_id in listing_ids]
    await logs.operation(tx, actor.as_json(), "SET_FIELDS", "LISTING", targets)
