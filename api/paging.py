"""Connections: pages of lists that grow."""

from collections.abc import Mapping
from inspect import Parameter
from typing import Any, Generic, TypeVar

import strawberry

from api.fields import argument, field, planned
from domain.model.roles import Permission

Item = TypeVar("Item")

PAGE: dict[str, Parameter] = {
    "first": argument(
        int | None, "The first so many rows (beyond `after`): 0 to 100; 100 when nothing is said."
    ),
    "after": argument(str | None, "The cursor beyond which the page begins."),
    "last": argument(
        int | None, "The last so many rows (before `before`); not together with `first`."
    ),
    "before": argument(str | None, "The cursor before which the page ends."),
}


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = field("There are rows after this page.")
    has_previous_page: bool = field("There are rows before this page.")
    start_cursor: str | None = field("The cursor of the first row; null on an empty page.")
    end_cursor: str | None = field("The cursor of the last row; null on an empty page.")


@strawberry.type(description="A row of a page.")
class Edge(Generic[Item]):
    cursor: str = field("The row's place in the list: give it to `after` or `before`.")
    node: Item = field("The row itself.")


@strawberry.type(description="A page of a list: 100 rows at most.")
class Connection(Generic[Item]):
    edges: list[Edge[Item]] = field("The rows in the list's order.")
    page_info: PageInfo = field("Where the page stands.")
    total_count: int | None = field("Rows in the whole list; counted only when selected.", cost=10)


def paged(
    kind: Any,
    description: str,
    arguments: Mapping[str, Parameter] | None = None,
    *,
    requires: Permission | None = None,
) -> Any:
    """A connection of `kind`, nullable so that a page that cannot be read does not blank the screen."""
    return planned(
        Connection[kind] | None, description, {**PAGE, **(arguments or {})}, requires=requires
    )
