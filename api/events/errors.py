"""エラー Errors as they open, count on, close and are cleared: each event is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from api.events.filters import among, is_given, read_ids
from api.events.frames import CURSOR, ORDERED, RELOAD, framed
from api.fields import described
from api.following import Among, Topic
from api.load import node
from api.scalars import EventCursor
from api.sync_errors import SyncError, SyncErrorFilter
from domain.model.events import ErrorChange, EventKind
from domain.store import events
from domain.store.database import Tx
from domain.store.events import Facts, LoggedEvent

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


@strawberry.type(description="What happened to one error.")
class ErrorEvent:
    change: ErrorChange = strawberry.field(description="What became of it.")
    error: SyncError = strawberry.field(description="The error as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Errors that changed.")
class ErrorEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[ErrorEvent] = strawberry.field(description=ORDERED)
    reload: bool = strawberry.field(description=RELOAD)


def error_topic(asked: SyncErrorFilter) -> Topic[ErrorEvents]:
    """Raises DomainError TOO_MANY or BAD_ID."""
    return Topic(
        EventKind.ERROR,
        wants=among(lambda event: event.shop_id, read_ids(asked.shop_ids, "Shop")),
        among=_alike(asked),
        show=framed(ErrorEvents, _shown),
    )


def _shown(event: LoggedEvent) -> ErrorEvent:
    error = node("SyncError", event.node_id)
    return ErrorEvent(change=ErrorChange(event.change), error=error, at=event.at)


def _alike(asked: SyncErrorFilter) -> Among:
    """By level and kind. Not by state: who shows open errors wants to see them close."""
    levels = [each.number for each in asked.levels] if is_given(asked.levels) else None
    kinds = [each.value for each in asked.kinds] if is_given(asked.kinds) else None

    async def alike(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, Facts]:
        return await events.errors_like(tx, ids, levels, kinds)

    return alike
