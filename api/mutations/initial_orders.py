"""初期受注取得 Fetching orders from before shops take part."""

from datetime import datetime

import strawberry

from api.context import Context
from api.fields import described, optional
from api.load import node
from api.mutations.edge import answered, row_ids, user_errors
from api.mutations.inputs import KEY
from api.order_fetch import OrderFetch
from api.user_errors import UserError
from domain.model.initial_orders import InitialOrderMode
from domain.services import initial_orders
from domain.store.database import Tx

described(
    InitialOrderMode,
    "What orders from before do to totals.",
    BASELINE="引当済み: they are out of the totals already: seen, never deducted. Orders placed since the asking deduct as ever.",
    APPLY="引当する: those placed since `since` deduct like any order.",
)


@strawberry.input(description="初期受注取得: whose orders, and from when on.")
class FetchInitialOrdersInput:
    shop_ids: list[strawberry.ID] = strawberry.field(
        description="Which shops, at most 100; in use, their switches may be off."
    )
    since: datetime = strawberry.field(description="From when on, at most 366 days ago.")
    mode: InitialOrderMode = strawberry.field(
        default=InitialOrderMode.BASELINE, description="What they do to totals."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of the asking.")
class FetchInitialOrdersPayload:
    job: OrderFetch | None = answered(
        "The job to follow: one, over all these shops. Of a halted shop it waits until that comes back."
    )
    user_errors: list[UserError] = user_errors()


async def fetch_initial_orders(
    tx: Tx, context: Context, input: FetchInitialOrdersInput
) -> FetchInitialOrdersPayload:
    job_id = await initial_orders.ask(
        tx,
        context.viewer.actor,
        row_ids(input.shop_ids, "Shop", "shop_ids"),
        since=input.since,
        mode=input.mode,
        now=context.now(),
    )
    return FetchInitialOrdersPayload(job=node("Job", job_id))
