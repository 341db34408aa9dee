"""What can be followed. The first frame says that following has begun; `after` resumes where it was left."""

from collections.abc import AsyncIterable
from typing import Annotated

import strawberry

from api.context import Info
from api.events.differences import DiffEvents, diff_topic
from api.events.errors import ErrorEvents, OfErrors, error_topic
from api.events.filters import EventFilter, OfRows
from api.events.frames import COALESCED, HOW, After, Coalesce, follow
from api.events.jobs import JobEvents, job_topic
from api.events.shops import ShopEvents, shop_topic
from api.events.stock import StockEvents, stock_topic
from api.fields import Requires
from api.sync_errors import SyncErrorFilter
from domain.model.roles import Permission

READS = [Requires(permission=Permission.READ)]

OfThese = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only these, at most 100; all, when absent."),
]


@strawberry.type(description="Following live, over a WebSocket.")
class Subscription:
    @strawberry.subscription(
        description="エラー: errors that open, count on, close or are cleared; each event is told."
        + HOW,
        directives=READS,
    )
    async def error_events(
        self, info: Info, filter: OfErrors = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> AsyncIterable[ErrorEvents]:
        return await follow(info, error_topic(filter or SyncErrorFilter()), after)

    @strawberry.subscription(
        description="差異: listings whose difference, push or mall quantity changed." + HOW,
        directives=READS,
    )
    async def diff_events(
        self,
        info: Info,
        filter: OfRows = strawberry.UNSET,
        after: After = strawberry.UNSET,
        coalesce: Coalesce = True,
    ) -> AsyncIterable[DiffEvents]:
        topic = await diff_topic(info, filter or EventFilter(), coalesce=coalesce is not False)
        return await follow(info, topic, after)

    @strawberry.subscription(
        description="在庫: products whose stock changed, by a movement or by what decides how many can be sold; a set "
        "whose part did, too." + HOW,
        directives=READS,
    )
    async def stock_events(
        self,
        info: Info,
        filter: OfRows = strawberry.UNSET,
        after: After = strawberry.UNSET,
        coalesce: Coalesce = True,
    ) -> AsyncIterable[StockEvents]:
        topic = stock_topic(filter or EventFilter(), coalesce=coalesce is not False)
        return await follow(info, topic, after)

    @strawberry.subscription(
        description="店舗: shops whose state, switches or settings changed." + COALESCED + HOW,
        directives=READS,
    )
    async def shop_events(
        self, info: Info, shop_ids: OfThese = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> AsyncIterable[ShopEvents]:
        return await follow(info, shop_topic(shop_ids), after)

    @strawberry.subscription(
        description="ジョブ: how far jobs are, of all kinds." + COALESCED + HOW,
        directives=READS,
    )
    async def job_progress(
        self, info: Info, ids: OfThese = strawberry.UNSET, after: After = strawberry.UNSET
    ) -> AsyncIterable[JobEvents]:
        return await follow(info, job_topic(ids), after)
