"""差異の解消 Deciding on numbers that malls show otherwise."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import Job
from api.listings import Listing
from api.load import node, nodes
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import answered, answered_list, user_errors
from api.mutations.inputs import KEY, ListingSelection
from api.mutations.selecting import Chosen, begin, chosen
from api.previews import ReflectPreview
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.roles import Permission, check_covered
from domain.model.shops import DriftPolicy
from domain.services import drift, previews, reflect_requests
from domain.store.database import Tx


@strawberry.input(description="差異の解消: whose numbers hold.")
class ResolveDifferencesInput:
    listings: ListingSelection = strawberry.field(description="Which listings.")
    take: DriftPolicy = strawberry.field(
        description="OURS_WINS: our numbers are sent. TAKE_THEIRS: the totals follow what the malls show, as counted "
        "adjustments, and go out to the other malls; it needs the right STOCK_WRITE. ASK decides nothing and is refused."
    )
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of differences.")
class ResolveDifferencesPayload:
    listings: list[Listing] = answered_list(
        "Of TAKE_THEIRS: the listings whose numbers were taken."
    )
    job: Job | None = answered(
        "Of OURS_WINS: the reflect to follow. Of TAKE_THEIRS: where more than 100 are meant, the bulk change."
    )
    preview: ReflectPreview | None = answered(f"{PREVIEW} Null for TAKE_THEIRS.")
    user_errors: list[UserError] = user_errors()


async def resolve_differences(
    tx: Tx, context: Context, input: ResolveDifferencesInput
) -> ResolveDifferencesPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    match input.take:
        case DriftPolicy.OURS_WINS:
            return await _ours(tx, context, input, asked)
        case DriftPolicy.TAKE_THEIRS:
            return await _theirs(tx, context, asked)
        case DriftPolicy.ASK:
            raise DomainError(
                "That decides nothing: take ours or theirs.", field=("take",), value="ASK"
            )


async def _ours(
    tx: Tx, context: Context, input: ResolveDifferencesInput, asked: Chosen
) -> ResolveDifferencesPayload:
    """As a reflect of these listings; the token of its preview does."""
    seen = await previews.of_reflect(tx, listing_ids=asked.ids)
    preview = await confirmed(
        tx,
        context,
        seen,
        input.confirmation_token,
        "reflect",
        products=None,
        listings=input.listings,
        shop_ids=None,
    )
    job_id = await reflect_requests.reflect(
        tx, context.viewer.actor, listing_ids=asked.meant, now=context.now()
    )
    return ResolveDifferencesPayload(job=node("Job", job_id), preview=preview)


async def _theirs(tx: Tx, context: Context, asked: Chosen) -> ResolveDifferencesPayload:
    """Raises DomainError EXCEEDS_RIGHTS."""
    check_covered([Permission.STOCK_WRITE], context.viewer.permissions, "take")
    if not asked.at_once:
        job_id = await begin(tx, context, "TAKE_THEIRS", asked)
        return ResolveDifferencesPayload(job=node("Job", job_id))
    change = await drift.take(tx, context.viewer.actor, asked.ids, now=context.now())
    return ResolveDifferencesPayload(
        listings=nodes("Listing", change.listing_ids),
        user_errors=asked.refusals(change.refused, context.viewer.locale),
    )
