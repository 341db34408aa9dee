"""出品・販売データ What is set on listings, and listings taken out."""

from uuid import UUID

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import BulkChange, Job
from api.listings import Listing
from api.load import node, nodes
from api.mutations.confirming import PREVIEW, TOKEN, confirmed, unasked
from api.mutations.edge import (
    answered,
    answered_list,
    given,
    said,
    user_errors,
)
from api.mutations.inputs import JOB, KEY, REFLECT, VERSION, ListingSelection
from api.mutations.selecting import Chosen, begin, chosen
from api.nodes import global_id
from api.previews import ReflectPreview
from api.user_errors import UserError
from domain.model.stock import check_limits
from domain.services import edits, listing_edits, listings, previews
from domain.services.sync import Why
from domain.store.database import Tx


@strawberry.input(description="下限・上限: what is left out stays; null: none.")
class SetListingLimitsInput:
    listings: ListingSelection = strawberry.field(description="Which.")
    minimum: int | None = optional("下限: at or below so many sellable units 0 is shown.")
    maximum: int | None = optional("上限: never more than this is shown.")
    expected_version: int | None = optional(VERSION)
    reflect: bool | None = optional(REFLECT)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of limits.")
class SetListingLimitsPayload:
    listings: list[Listing] = answered_list("The listings as they are now.")
    job: Job | None = answered(JOB)
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="連携: the tick that lets the number of a listing be sent.")
class SetListingSyncInput:
    listings: ListingSelection = strawberry.field(description="Which.")
    sync: bool = strawberry.field(description="On or off. Orders count either way.")
    reflect: bool | None = optional(REFLECT)
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of ticks.")
class SetListingSyncPayload:
    listings: list[Listing] = answered_list("The listings as they are now.")
    job: Job | None = answered(JOB)
    preview: ReflectPreview | None = answered(
        f"{PREVIEW} Of ticks that go on and are not sent yet: what a reflect would do. Null for ticks that go off."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="出品の削除: listings to take out.")
class DeleteListingsInput:
    listings: ListingSelection = strawberry.field(
        description="Which; the malls keep them, and the next import brings them back."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of listings that were to be deleted.")
class DeleteListingsPayload:
    deleted_ids: list[strawberry.ID] = answered_list("The listings that are gone.")
    job: BulkChange | None = answered("The job to follow, where more than 100 are meant.")
    user_errors: list[UserError] = user_errors()


async def set_limits(
    tx: Tx, context: Context, input: SetListingLimitsInput
) -> SetListingLimitsPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    if not asked.at_once:
        return SetListingLimitsPayload(
            job=node("Job", await _limits_job(tx, context, input, asked))
        )
    change = await listing_edits.set_limits(
        tx,
        context.viewer.actor,
        asked.ids,
        expected_version=said(input.expected_version),
        reflect=said(input.reflect),
        now=context.now(),
        **given(input, "minimum", "maximum"),
    )
    return SetListingLimitsPayload(
        listings=nodes("Listing", change.listing_ids),
        job=node("Job", change.job_id),
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )


async def set_sync(tx: Tx, context: Context, input: SetListingSyncInput) -> SetListingSyncPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    preview = await _sync_preview(tx, context, input, asked) if input.sync else None
    if not asked.at_once:
        wanted = {"on": input.sync, "reflect": said(input.reflect)}
        job_id = await begin(tx, context, "SET_SYNC", asked, wanted)
        return SetListingSyncPayload(job=node("Job", job_id), preview=preview)
    change = await listing_edits.set_sync(
        tx,
        context.viewer.actor,
        asked.ids,
        on=input.sync,
        reflect=said(input.reflect),
        now=context.now(),
    )
    return SetListingSyncPayload(
        listings=nodes("Listing", change.listing_ids),
        job=node("Job", change.job_id),
        preview=preview,
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )


async def _sync_preview(
    tx: Tx, context: Context, input: SetListingSyncInput, asked: Chosen
) -> ReflectPreview:
    """What waits for a reflect is asked about then."""
    seen = await previews.of_sync_on(tx, asked.ids)
    if await edits.why(tx, said(input.reflect)) is Why.EDITED:
        return unasked(seen)
    return await confirmed(
        tx, context, seen, input.confirmation_token, "sync_on", listings=input.listings
    )


async def delete_listings(
    tx: Tx, context: Context, input: DeleteListingsInput
) -> DeleteListingsPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    if not asked.at_once:
        job_id = await begin(tx, context, "DELETE_LISTINGS", asked)
        return DeleteListingsPayload(job=node("Job", job_id))
    change = await listings.delete_listings(tx, context.viewer.actor, asked.ids, now=context.now())
    return DeleteListingsPayload(
        deleted_ids=[global_id("Listing", each) for each in change.listing_ids],
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )


async def _limits_job(
    tx: Tx, context: Context, input: SetListingLimitsInput, asked: Chosen
) -> UUID:
    """Raises DomainError INVALID_VALUE."""
    limits = given(input, "minimum", "maximum")
    check_limits(limits.get("minimum"), limits.get("maximum"))
    if said(input.expected_version) is not None:
        raise asked.version_of_many()
    return await begin(tx, context, "SET_LIMITS", asked, limits | {"reflect": said(input.reflect)})
