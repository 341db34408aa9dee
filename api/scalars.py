"""The schema's own scalars."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

EventCursor = NewType("EventCursor", str)


def moment(value: datetime | str) -> str:
    """UTC in RFC 3339 with Z and microseconds; what PostgreSQL wrote is so already."""
    if isinstance(value, str):
        return value
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(value: Any) -> datetime:
    """Raises ValueError for what is no RFC 3339 moment; a time without its zone is none."""
    if not isinstance(value, str):
        raise ValueError("A DateTime is a string such as 2026-11-22T09:30:00Z.")
    try:
        read = datetime.fromisoformat(value)
        zoned = read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        zoned = None
    if zoned is None:
        raise ValueError(
            f"{value[:40]!r} is no moment with a time zone, such as 2026-11-22T09:30:00Z."
        )
    return zoned


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC: RFC 3339 with Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=moment,
        parse_value=read_moment,
    ),
    EventCursor: strawberry.scalar(
        name="EventCursor",
        description="A point in the account's event log. Opaque; ordered by commit; lives 7 days.",
        serialize=str,
        parse_value=str,
    ),
}
