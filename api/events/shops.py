"""店舗 Shops whose state, switches or settings changed."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from api.events.filters import among, read_ids
from api.events.frames import CURSOR, ORDERED, RELOAD, framed
from api.following import Topic, living
from api.load import node
from api.scalars import EventCursor
from api.shops import Shop
from domain.model.events import EventKind
from domain.store.events import LoggedEvent


@strawberry.type(description="One shop changed.")
class ShopEvent:
    shop: Shop = strawberry.field(description="The shop as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Shops that changed.")
class ShopEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[ShopEvent] = strawberry.field(description=ORDERED)
    reload: bool = strawberry.field(description=RELOAD)


def shop_topic(shop_ids: Sequence[str] | None) -> Topic[ShopEvents]:
    """Raises DomainError TOO_MANY or BAD_ID."""
    return Topic(
        EventKind.SHOP,
        wants=among(lambda event: event.shop_id, read_ids(shop_ids, "Shop")),
        among=living(EventKind.SHOP),
        show=framed(ShopEvents, _shown),
        coalesce=True,
    )


def _shown(event: LoggedEvent) -> ShopEvent:
    return ShopEvent(shop=node("Shop", event.node_id), at=event.at)
