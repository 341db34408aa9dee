"""初期受注取得 The job that fetches orders from before shops take part."""

from datetime import datetime

import strawberry

from api.fields import field
from api.jobs import Job
from api.shops import Shop
from domain.model.jobs import JobState


@strawberry.type(description="How far a fetch of initial orders is in one shop.")
class OrderFetchShop:
    shop: Shop = field("The shop.")
    state: JobState = field("How far it is there; FAILED: it could not be read, again and again.")
    orders: int = field("Orders taken in that were new here, or had changed.")
    lines: int = field("Their lines.")
    deducted: int = field("Units that they took off totals.")
    reached: datetime | None = field(
        "Orders up to then are here, by the mall's clock; null: it has not begun."
    )


@strawberry.type(
    description="初期受注取得: orders from before shops take part are fetched, each once. `progress.done` counts orders."
)
class OrderFetch(Job):
    orders: int = field("Orders taken in that were new here, or had changed.")
    lines: int = field("Their lines.")
    deducted: int = field("Units that they took off totals.")
    by_shop: list[OrderFetchShop] = field("How far it is, by shop.")
