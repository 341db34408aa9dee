"""What all subscriptions share: where they begin, how their frames are told, and what carries them.

A subscription is its types, what an event is shown as, and a topic (see api/following.py).
"""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.feed import Feed
from api.following import Following, Frame, Topic
from api.scalars import EventCursor
from domain.model.errors import DomainError
from domain.store.events import LoggedEvent
from domain.store.reads import event_cursor, read_event_cursor

CURSOR = "Where to resume: give it to `after`."
RELOAD = (
    "Too much changed at once to be told one by one: read the screen again, and go on following."
)
ORDERED = "In the order of their commits."
HOW = (
    " The first frame comes at once and may be empty; at most 100 events a frame, at most 4 frames a second. "
    "EVENT_CURSOR_EXPIRED: read the screen again."
)
COALESCED = " A node's newest event stands for those before it that were not sent yet."

After = Annotated[
    EventCursor | None,
    strawberry.argument(
        description="Where to begin: a frame's cursor, or the `eventCursor` of the query that drew the screen; now, when "
        "absent."
    ),
]
Coalesce = Annotated[bool | None, strawberry.argument(description=COALESCED.strip())]


async def follow(info: Info, topic: Topic[Any], after: EventCursor | None) -> Following[Any]:
    """Raises DomainError BAD_CURSOR or EVENT_CURSOR_EXPIRED."""
    context = info.context
    feed = _feed(context.feed)
    account_id = context.viewer.account_id
    cursor = read_event_cursor(after) if after else None
    return Following(context.db, feed, account_id, topic, await feed.begin(account_id, cursor))


def framed(kind: Any, show: Callable[[LoggedEvent], Any]) -> Callable[[Frame], Any]:
    """Shows frames as this type, whose events are shown one by one."""
    return lambda frame: kind(
        cursor=event_cursor(frame.cursor),
        events=[show(event) for event in frame.events],
        reload=frame.reload,
    )


def _feed(feed: Feed | None) -> Feed:
    if feed is None:
        raise DomainError("Subscribe over a WebSocket.", code="SUBSCRIPTION_NEEDS_SOCKET")
    return feed
