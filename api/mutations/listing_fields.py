"""モール別項目 Fields of the malls' own that travel with stock, set on listings."""

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import Job
from api.listings import Listing
from api.load import node, nodes
from api.mutations.edge import answered, answered_list, check_count, said, user_errors
from api.mutations.inputs import JOB, KEY, REFLECT, ListingSelection
from api.mutations.selecting import begin, chosen
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.mall_fields import FieldChange, FieldOwner
from domain.services import listing_fields
from domain.store.database import Tx


@strawberry.input(description="モール別項目: a field and what it is to be. What is left out stays.")
class ListingFieldInput:
    key: str = strawberry.field(
        description="Its key, from the mall's `columns` that are `editable` and `sentWithStock`."
    )
    value: str | None = optional(
        "Our value; null or an empty text: we have none, and nothing is sent."
    )
    owner: FieldOwner | None = optional("Whose the field is.")


@strawberry.input(description="モール別項目: fields to set on listings.")
class SetListingFieldsInput:
    listings: ListingSelection = strawberry.field(
        description="Which. One whose mall does not take one of the fields keeps all of its own."
    )
    fields: list[ListingFieldInput] = strawberry.field(description="Each field once.")
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(
    description="What became of fields. They go out with the listing's next number, whatever sends it."
)
class SetListingFieldsPayload:
    listings: list[Listing] = answered_list("The listings as they are now.")
    job: Job | None = answered(JOB)
    user_errors: list[UserError] = user_errors()


async def set_listing_fields(
    tx: Tx, context: Context, input: SetListingFieldsInput
) -> SetListingFieldsPayload:
    changes = _changes(input.fields)
    asked = await chosen(tx, input.listings, "Listing", "listings")
    if not asked.at_once:
        wanted = {"fields": list(map(_kept, changes)), "reflect": said(input.reflect)}
        job_id = await begin(tx, context, "SET_FIELDS", asked, wanted)
        return SetListingFieldsPayload(job=node("Job", job_id))
    change = await listing_fields.set_fields(
        tx,
        context.viewer.actor,
        asked.ids,
        changes,
        reflect=said(input.reflect),
        now=context.now(),
    )
    return SetListingFieldsPayload(
        listings=nodes("Listing", change.listing_ids),
        job=node("Job", change.job_id),
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )


def _changes(fields: Sequence[ListingFieldInput]) -> list[FieldChange]:
    """Raises DomainError REQUIRED, TOO_MANY or INVALID_VALUE."""
    check_count(fields, "fields")
    if not fields:
        raise DomainError("Name a field.", code="REQUIRED", field=("fields",))
    keys = [field.key for field in fields]
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise DomainError(
                f"{key[:50]} is named twice. Name it once.",
                field=("fields", str(place), "key"),
                twice=key[:50],
            )
    return [_change(field, place) for place, field in enumerate(fields)]


def _change(field: ListingFieldInput, place: int) -> FieldChange:
    sets_value = field.value is not strawberry.UNSET
    if not sets_value and said(field.owner) is None:
        raise DomainError(
            "Give a value or an owner.", code="REQUIRED", field=("fields", str(place), "value")
        )
    return FieldChange(field.key, said(field.value), sets_value, said(field.owner))


def _kept(change: FieldChange) -> Mapping[str, Any]:
    """As a job keeps it."""
    owner = change.owner.value if change.owner else None
    return {
        "key": change.key,
        "value": change.value,
        "sets_value": change.sets_value,
        "owner": owner,
    }
