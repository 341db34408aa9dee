"""Following live: the changed nodes, frame by frame, in the order in which the changes were committed.

A subscription is its types, what an event is shown as, and a topic (see api/following.py).
"""

from collections.abc import AsyncIterable, Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeGuard
from uuid import UUID

import strawberry

from api.context import Info
from api.feed import Feed
from api.fields import Requires, described, optional
from api.following import Following, Frame, Topic, Wants
from api.listings import Listing
from api.load import node
from api.nodes import read_id
from api.scalars import EventCursor
from api.sync_errors import SyncError, SyncErrorFilter
from domain.model.errors import DomainError
from domain.model.events import DiffChange, ErrorChange, EventKind
from domain.model.roles import Permission
from domain.store import events
from domain.store.database import Tx
from domain.store.events import LoggedEvent
from domain.store.reads import event_cursor, read_event_cursor

MOST_FILTERED = 100
READS = [Requires(permission=Permission.READ)]

CURSOR = "Where to resume: give it to `after`."
RELOAD = (
    "Too much changed at once to be told one by one: read the screen again, and go on following."
)
AFTER = "Where to begin: a frame's cursor, or the `eventCursor` of the query that drew the screen; now, when absent."
COALESCE = "A node's newest event stands for those before it that were not sent yet."
HOW = (
    " The first frame comes at once and may be empty; at most 100 events a frame, at most 4 frames a second. "
    "EVENT_CURSOR_EXPIRED: read the screen again."
)

After = Annotated[EventCursor | None, strawberry.argument(description=AFTER)]
Coalesce = Annotated[bool | None, strawberry.argument(description=COALESCE)]
OfErrors = Annotated[
    SyncErrorFilter | None,
    strawberry.argument(
        description="Only these. `states` is not heeded: who shows open errors sees them close."
    ),
]

described(
    ErrorChange,
    "What became of an error.",
    OPENED="It is new.",
    COUNT_CHANGED="It happened again.",
    RESOLVED="Its cause is gone.",
    CLEARED="エラー削除: a person cleared it.",
    REOPENED="It was cleared, and happened again.",
)
described(
    DiffChange,
    "What became of a difference.",
    OPENED="The mall shows another number than it should.",
    CHANGED="Its cause or its numbers changed.",
    CLOSED="The mall shows what it should.",
    PUSH_STATE="The push of the listing went on.",
    MALL_STOCK="Another number was seen at the mall.",
)


@strawberry.input(
    description="Which rows to follow. Absent: all. Several: those that all of them allow."
)
class EventFilter:
    product_ids: list[strawberry.ID] | None = optional(
        "Listings of these products: the rows on the screen, at most 100."
    )
    listing_ids: list[strawberry.ID] | None = optional("These listings, at most 100.")
    shop_ids: list[strawberry.ID] | None = optional("Listings of these shops, at most 100.")
    codes: list[str] | None = optional("Listings of the products with these codes, at most 100.")


OfListings = Annotated[EventFilter | None, strawberry.argument(description="Only these.")]


@strawberry.type(description="What happened to one error.")
class ErrorEvent:
    change: ErrorChange = strawberry.field(description="What became of it.")
    error: SyncError = strawberry.field(description="The error as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Errors that changed.")
class ErrorEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[ErrorEvent] = strawberry.field(description="In the order of their commits.")
    reload: bool = strawberry.field(description=RELOAD)


@strawberry.type(description="What happened to one listing's difference.")
class DiffEvent:
    change: DiffChange = strawberry.field(description="What became of it.")
    listing: Listing = strawberry.field(description="The listing as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Differences that changed.")
class DiffEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[DiffEvent] = strawberry.field(description="In the order of their commits.")
    reload: bool = strawberry.field(description=RELOAD)


def _error_event(event: LoggedEvent) -> ErrorEvent:
    error = node("SyncError", event.node_id)
    return ErrorEvent(change=ErrorChange(event.change), error=error, at=event.at)


def _diff_event(event: LoggedEvent) -> DiffEvent:
    listing = node("Listing", event.node_id)
    return DiffEvent(change=DiffChange(event.change), listing=listing, at=event.at)


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
        asked = filter or SyncErrorFilter()
        topic = Topic(
            EventKind.ERROR,
            wants=_in(lambda event: event.shop_id, _ids(asked.shop_ids, "Shop")),
            among=_errors_like(asked),
            show=partial(_frame, ErrorEvents, _error_event),
        )
        return await _follow(info, topic, after)

    @strawberry.subscription(
        description="差異: listings whose difference, push or mall quantity changed." + HOW,
        directives=READS,
    )
    async def diff_events(
        self,
        info: Info,
        filter: OfListings = strawberry.UNSET,
        after: After = strawberry.UNSET,
        coalesce: Coalesce = True,
    ) -> AsyncIterable[DiffEvents]:
        topic = Topic(
            EventKind.DIFF,
            wants=await _wants(info, filter or EventFilter()),
            among=_living(EventKind.DIFF),
            show=partial(_frame, DiffEvents, _diff_event),
            coalesce=coalesce is not False,
        )
        return await _follow(info, topic, after)


async def _follow(info: Info, topic: Topic[Any], after: EventCursor | None) -> Following[Any]:
    """Raises DomainError BAD_CURSOR or EVENT_CURSOR_EXPIRED."""
    context = info.context
    feed = _feed(context.feed)
    account_id = context.viewer.account_id
    cursor = read_event_cursor(after) if after else None
    return Following(context.db, feed, account_id, topic, await feed.begin(account_id, cursor))


def _feed(feed: Feed | None) -> Feed:
    if feed is None:
        raise DomainError("Subscribe over a WebSocket.", code="SUBSCRIPTION_NEEDS_SOCKET")
    return feed


def _frame(kind: Any, show: Callable[[LoggedEvent], Any], frame: Frame) -> Any:
    shown = [show(event) for event in frame.events]
    return kind(cursor=event_cursor(frame.cursor), events=shown, reload=frame.reload)


async def _wants(info: Info, asked: EventFilter) -> Wants:
    """By the row that an event is about. Raises DomainError TOO_MANY or BAD_ID."""
    conditions = [
        _in(lambda event: event.node_id, _ids(asked.listing_ids, "Listing")),
        _in(lambda event: event.shop_id, _ids(asked.shop_ids, "Shop")),
        _in(lambda event: event.product_id, _ids(asked.product_ids, "Product")),
        _in(lambda event: event.product_id, await _coded(info, asked.codes)),
    ]
    return lambda event: all(condition(event) for condition in conditions)


def _in(
    of: Callable[[LoggedEvent], UUID | None], ids: Collection[UUID] | None
) -> Callable[[LoggedEvent], bool]:
    return lambda event: ids is None or of(event) in ids


def _ids(given: Sequence[str] | None, model: str) -> Collection[UUID] | None:
    return {read_id(each, model).id for each in _few(given)} if _is_given(given) else None


async def _coded(info: Info, codes: Sequence[str] | None) -> Collection[UUID] | None:
    """Products that have these codes when following begins."""
    if not _is_given(codes):
        return None
    async with info.context.db.transaction(info.context.viewer.account_id) as tx:
        return await events.products_coded(tx, _few(codes))


def _is_given(value: Sequence[Any] | None) -> TypeGuard[Sequence[Any]]:
    """Null and absent are the same; an empty list allows nothing."""
    return value is not None and value is not strawberry.UNSET


def _few(given: Sequence[str]) -> Sequence[str]:
    if len(given) > MOST_FILTERED:
        raise DomainError(
            f"Name {MOST_FILTERED} at most, or none to follow all.",
            code="TOO_MANY",
            most=MOST_FILTERED,
            count=len(given),
        )
    return given


def _living(kind: EventKind) -> Callable[[Tx, Sequence[UUID]], Any]:
    async def living(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
        return await events.living(tx, kind, ids)

    return living


def _errors_like(asked: SyncErrorFilter) -> Callable[[Tx, Sequence[UUID]], Any]:
    """By level and kind. Not by state: who shows open errors wants to see them close."""
    levels = [each.number for each in asked.levels] if _is_given(asked.levels) else None
    kinds = [each.value for each in asked.kinds] if _is_given(asked.kinds) else None

    async def alike(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
        return await events.errors_like(tx, ids, levels, kinds)

    return alike
