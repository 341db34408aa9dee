"""What PostgreSQL left open in an answer: values that Python makes, and errors in their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import GraphQLError

from api.errors import said
from api.scalars import moment
from api.selection import Mark, Shaped
from domain.model.locales import Locale
from domain.store.reads import Arguments

MARKER = "@"
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Settler:
    """`raising`: errors are put into the tree for graphql-core to raise; else they are collected with their paths."""

    marks: Sequence[Mark]
    slots: Sequence[Arguments]
    locale: Locale
    raising: bool = False
    errors: list[GraphQLError] = field(default_factory=list)

    def settle(self, value: Any, path: Path = ()) -> Any:
        if isinstance(value, list):
            return [self.settle(each, (*path, at)) for at, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if MARKER in value:
            return self._marked(value[MARKER], path)
        return {key: self.settle(each, (*path, key)) for key, each in value.items()}

    def _marked(self, found: list[Any], path: Path) -> Any:
        mark = self.marks[found[0]]
        if isinstance(mark, GraphQLError):
            return self._error(mark, path)
        made = mark.made_by(found[1:], self._arguments(mark.slot), self.locale)
        return self._shaped(made, mark.children)

    def _error(self, error: GraphQLError, path: Path) -> GraphQLError | None:
        if self.raising:
            return error
        self.errors.append(said(error, self.locale, path))
        return None

    def _shaped(self, value: Any, children: tuple[Shaped, ...] | None) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._shaped(each, children) for each in value]
        if children is None or value is None:
            return plain(value)
        return {child.key: self._member(value, child) for child in children}

    def _member(self, source: Any, child: Shaped) -> Any:
        if child.constant is not None:
            return child.constant
        if child.made_by is None:
            return self._shaped(getattr(source, child.name), child.children)
        made = child.made_by(source, self._arguments(child.slot), self.locale)
        return self._shaped(made, child.children)

    def _arguments(self, slot: int) -> Mapping[str, Any]:
        return self.slots[slot] if slot >= 0 else {}


def plain(value: Any) -> Any:
    """A leaf as JSON: enums by their value, moments in UTC."""
    if isinstance(value, Enum):
        return value.value
    return moment(value) if hasattr(value, "tzinfo") else value
