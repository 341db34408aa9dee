"""在庫 Products whose stock changed: by a movement, by what is kept back, by the parts of a set."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

import api.stock  # noqa: F401 — where the words of MovementCause stand
from api.events.filters import EventFilter, among, few, is_given, read_ids
from api.events.frames import CURSOR, ORDERED, RELOAD, framed
from api.following import Among, Topic
from api.load import node
from api.orders import Order
from api.products import Product
from api.scalars import EventCursor
from domain.model.events import EventKind
from domain.model.stock import Cause
from domain.store import stock_now
from domain.store.database import Tx
from domain.store.events import Facts, LoggedEvent
from domain.store.stock_now import StockFilter


@strawberry.type(description="What happened to the stock of one product.")
class StockEvent:
    product: Product = strawberry.field(description="The product as it is now.")
    total: int | None = strawberry.field(description="総在庫数 now; null for a set.")
    sellable: int | None = strawberry.field(
        description="販売可能数 now; null for a set of which nothing limits the number."
    )
    cause: Cause | None = strawberry.field(
        description="Why it moved, of a set why a part of it did; null where no total moved: another reserve, another "
        "group, other parts, another name."
    )
    order: Order | None = strawberry.field(description="The order that it came of.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Products whose stock changed.")
class StockEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[StockEvent] = strawberry.field(description=ORDERED)
    reload: bool = strawberry.field(description=RELOAD)


def stock_topic(asked: EventFilter, *, coalesce: bool) -> Topic[StockEvents]:
    """Raises DomainError TOO_MANY or BAD_ID."""
    return Topic(
        EventKind.STOCK,
        wants=among(lambda event: event.node_id, read_ids(asked.product_ids, "Product")),
        among=_among(asked),
        show=framed(StockEvents, _shown),
        coalesce=coalesce,
    )


def _among(asked: EventFilter) -> Among:
    """Codes and links are those of the moment: they change while they are followed."""
    listings = read_ids(asked.listing_ids, "Listing")
    shops = read_ids(asked.shop_ids, "Shop")
    codes = few(asked.codes) if is_given(asked.codes) else None
    filter_ = StockFilter(codes, listings, shops)

    async def now(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
        return await stock_now.of(tx, ids, filter_)

    return now


def _shown(event: LoggedEvent) -> StockEvent:
    order = event.payload.get("order")
    return StockEvent(
        product=node("Product", event.node_id),
        total=event.payload["total"],
        sellable=event.payload["sellable"],
        cause=Cause.__members__.get(event.change),
        order=node("Order", order and UUID(order)),
        at=event.at,
    )
