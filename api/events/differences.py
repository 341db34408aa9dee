"""差異 Listings whose difference, push or mall quantity changed."""

from datetime import datetime

import strawberry

from api.context import Info
from api.events.filters import EventFilter, among, few, is_given, read_ids
from api.events.frames import CURSOR, ORDERED, RELOAD, framed
from api.fields import described
from api.following import Topic, living
from api.listings import Listing
from api.load import node
from api.scalars import EventCursor
from domain.model.events import DiffChange, EventKind
from domain.store import events
from domain.store.events import LoggedEvent

described(
    DiffChange,
    "What became of a difference.",
    OPENED="The mall shows another number than it should.",
    CHANGED="Its cause or its numbers changed.",
    CLOSED="The mall shows what it should.",
    PUSH_STATE="The push of the listing went on.",
    MALL_STOCK="Another number was seen at the mall.",
)


@strawberry.type(description="What happened to one listing's difference.")
class DiffEvent:
    change: DiffChange = strawberry.field(description="What became of it.")
    listing: Listing = strawberry.field(description="The listing as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Differences that changed.")
class DiffEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[DiffEvent] = strawberry.field(description=ORDERED)
    reload: bool = strawberry.field(description=RELOAD)


async def diff_topic(info: Info, asked: EventFilter, *, coalesce: bool) -> Topic[DiffEvents]:
    """By the row that an event is about; codes are those of products when following begins.

    Raises DomainError TOO_MANY or BAD_ID.
    """
    conditions = [
        among(lambda event: event.node_id, read_ids(asked.listing_ids, "Listing")),
        among(lambda event: event.shop_id, read_ids(asked.shop_ids, "Shop")),
        among(lambda event: event.product_id, read_ids(asked.product_ids, "Product")),
    ]
    if is_given(asked.codes):
        async with info.context.db.transaction(info.context.viewer.account_id) as tx:
            coded = await events.products_coded(tx, few(asked.codes))
        conditions.append(among(lambda event: event.product_id, coded))
    return Topic(
        EventKind.DIFF,
        wants=lambda event: all(condition(event) for condition in conditions),
        among=living(EventKind.DIFF),
        show=framed(DiffEvents, _shown),
        coalesce=coalesce,
    )


def _shown(event: LoggedEvent) -> DiffEvent:
    listing = node("Listing", event.node_id)
    return DiffEvent(change=DiffChange(event.change), listing=listing, at=event.at)
