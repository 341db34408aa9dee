"""全件同期 Sending everything that a shop lists."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import ReflectJob
from api.load import node
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import answered, row_ids, user_errors
from api.mutations.inputs import KEY
from api.previews import ReflectPreview
from api.user_errors import UserError
from domain.services import full_syncs, previews
from domain.store.database import Tx


@strawberry.input(description="全件同期: whose listings are to be sent.")
class StartFullSyncInput:
    shop_ids: list[strawberry.ID] = strawberry.field(description="Which shops, at most 100.")
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a full sync.")
class StartFullSyncPayload:
    job: ReflectJob | None = answered(
        "The job to follow. What may not be sent now is `held` in it, and is no error."
    )
    preview: ReflectPreview | None = answered(PREVIEW)
    user_errors: list[UserError] = user_errors()


async def start_full_sync(
    tx: Tx, context: Context, input: StartFullSyncInput
) -> StartFullSyncPayload:
    shop_ids = row_ids(input.shop_ids, "Shop", "shop_ids")
    preview = await confirmed(
        tx,
        context,
        await previews.of_full_sync(tx, shop_ids),
        input.confirmation_token,
        "full_sync",
        shop_ids=input.shop_ids,
    )
    job_id = await full_syncs.start(tx, context.viewer.actor, shop_ids, now=context.now())
    return StartFullSyncPayload(job=node("Job", job_id), preview=preview)
