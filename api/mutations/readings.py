"""モール在庫の読み取り Reading what the malls show."""

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import BulkChange
from api.load import node
from api.mutations.edge import answered, user_errors
from api.mutations.inputs import KEY, ListingSelection
from api.mutations.selecting import chosen
from api.user_errors import UserError
from domain.services import readings
from domain.store.database import Tx


@strawberry.input(description="モール在庫の読み取り: which listings.")
class ReadMallStockInput:
    listings: ListingSelection = strawberry.field(description="Which listings.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of the asking.")
class ReadMallStockPayload:
    job: BulkChange | None = answered(
        "The job to follow; what could not be read stands in its `failures`. Of a halted shop it waits until that comes back."
    )
    user_errors: list[UserError] = user_errors()


async def read_mall_stock(
    tx: Tx, context: Context, input: ReadMallStockInput
) -> ReadMallStockPayload:
    asked = await chosen(tx, input.listings, "Listing", "listings")
    job_id = await readings.ask(tx, context.viewer.actor, asked.ids, now=context.now())
    return ReadMallStockPayload(job=node("Job", job_id))
