"""Which events are asked for, by the rows that they are about."""

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, TypeGuard, TypeVar
from uuid import UUID

import strawberry

from api.fields import optional
from api.nodes import read_id
from domain.model.errors import DomainError
from domain.store.events import LoggedEvent

MOST_FILTERED = 100
Item = TypeVar("Item")


@strawberry.input(
    description="Which rows to follow. Absent: all. Several: those that all of them allow."
)
class EventFilter:
    product_ids: list[strawberry.ID] | None = optional(
        "These products and their listings: the rows on the screen, at most 100."
    )
    listing_ids: list[strawberry.ID] | None = optional(
        "These listings and the products that they belong to, at most 100."
    )
    shop_ids: list[strawberry.ID] | None = optional(
        "Listings of these shops and the products that they belong to, at most 100."
    )
    codes: list[str] | None = optional(
        "The products with these codes and their listings, at most 100."
    )


OfRows = Annotated[EventFilter | None, strawberry.argument(description="Only these.")]


def among(
    of: Callable[[LoggedEvent], UUID | None], ids: Collection[UUID] | None
) -> Callable[[LoggedEvent], bool]:
    """None allows all."""
    return lambda event: ids is None or of(event) in ids


def read_ids(given: Sequence[str] | None, model: str) -> Collection[UUID] | None:
    """Raises DomainError TOO_MANY or BAD_ID."""
    return {read_id(each, model).id for each in few(given)} if is_given(given) else None


def is_given(value: Sequence[Item] | None) -> TypeGuard[Sequence[Item]]:
    """Null and absent are the same; an empty list allows nothing."""
    return value is not None and value is not strawberry.UNSET


def few(given: Sequence[str]) -> Sequence[str]:
    if len(given) > MOST_FILTERED:
        raise DomainError(
            f"Name {MOST_FILTERED} at most, or none to follow all.",
            code="TOO_MANY",
            most=MOST_FILTERED,
            count=len(given),
        )
    return given
