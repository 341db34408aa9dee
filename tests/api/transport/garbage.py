"""Values that no careful client sends: by the types of the schema, with junk in every place where there can be some."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
)
from hypothesis.strategies import (
    DataObject,
    SearchStrategy,
    binary,
    booleans,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    one_of,
    recursive,
    sampled_from,
    text,
)

WORDS = (
    "",
    " ",
    "茶",
    "%_\\",
    "'; DROP TABLE products; --",
    "{x}",
    "\u202e",
    "🍵" * 300,
    "0" * 5_000,
    "\x7f\x1b[31m",
    "2026-11-22T09:30:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "https://evil.example.com",
    "name@example.com",
)
NUMBERS = (0, 1, -1, 3, 100, 101, 2**31 - 1, -(2**31), 2**31, 2**63, 10**30)


def encoded(words: str) -> str:
    return b64encode(words.encode()).decode()


BROKEN = (
    "",
    "x",
    "=",
    "AAAA",
    encoded("Product"),
    encoded("Product:1"),
    encoded("Nothing:0192f0c4-7d6a-7000-8000-000000000000"),
    encoded("[]"),
    encoded("null"),
    encoded('{"a":1}'),
    encoded("[1,2,3]"),
    encoded("9" * 400),
    encoded("-1"),
    "é" * 50,
)
"""Ids and cursors that are none."""


def junk() -> SearchStrategy[Any]:
    """Any JSON."""
    leaves = one_of(
        none(),
        booleans(),
        sampled_from(NUMBERS),
        floats(allow_nan=False, allow_infinity=False),
        texts(),
    )
    return recursive(
        leaves, lambda below: lists(below, max_size=3) | dictionaries(texts(), below, max_size=3)
    )


def texts() -> SearchStrategy[str]:
    return sampled_from(WORDS) | sampled_from(BROKEN) | text(max_size=20)


def noise() -> SearchStrategy[bytes]:
    return binary(max_size=60) | sampled_from(
        [b"", b"\x00", b"\xff\xfe", b"[" * 5_000, b'{"query":', b'"\\ud800"', b"NaN", b"1e999"]
    )


class Vandal:
    """Writes values for one request. `ids`: such as there are, of this account and of others."""

    def __init__(self, data: DataObject, ids: Sequence[str]) -> None:
        self._data = data
        self._ids = ids

    def variables(self, field: GraphQLField) -> dict[str, Any]:
        return {name: self.value(each.type) for name, each in field.args.items()}

    def value(self, kind: Any) -> Any:
        """Mostly of the kind that is asked for, so that it is not seen at once."""
        if self._one_in(12):
            return self._data.draw(junk())
        if isinstance(kind, GraphQLNonNull):
            return self._of(kind.of_type)
        return None if self._one_in(4) else self._of(kind)

    def _of(self, kind: Any) -> Any:
        if isinstance(kind, GraphQLList):
            return [self.value(kind.of_type) for _ in range(self._data.draw(integers(0, 3)))]
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind)
        if isinstance(kind, GraphQLEnumType):
            return self._data.draw(sampled_from(sorted(kind.values)))
        return self._data.draw(self._leaf(kind.name))

    def _input(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        given = {
            name: self.value(each.type)
            for name, each in kind.fields.items()
            if isinstance(each.type, GraphQLNonNull) or not self._one_in(3)
        }
        if kind.is_one_of and given:
            name = self._data.draw(sampled_from(sorted(given)))
            return {name: given[name]}
        return given

    def _leaf(self, kind: str) -> SearchStrategy[Any]:
        match kind:
            case "Boolean":
                return booleans()
            case "Int":
                return sampled_from(NUMBERS)
            case "ID":
                return sampled_from(self._ids) | sampled_from(BROKEN)
        return texts()

    def _one_in(self, chances: int) -> bool:
        return self._data.draw(integers(1, chances)) == 1


def asking(operation: str, name: str, definition: GraphQLField) -> str:
    """A document with one root field, all its arguments variables, and what it answers first."""
    declared = ", ".join(f"${each}: {given.type}" for each, given in definition.args.items())
    given = ", ".join(f"{each}: ${each}" for each in definition.args)
    head = f"{operation} Q{f'({declared})' if declared else ''}"
    return f"{head} {{ {name}{f'({given})' if given else ''} {_selected(definition.type)} }}"


def _selected(kind: Any) -> str:
    while isinstance(kind, (GraphQLNonNull, GraphQLList)):
        kind = kind.of_type
    if is_leaf_type(kind):
        return ""
    fields = kind.fields if isinstance(kind, GraphQLObjectType) else {}
    more = (
        " userErrors { code field message params { name value } }" if "userErrors" in fields else ""
    )
    more += " edges { cursor node { __typename } } totalCount" if "edges" in fields else ""
    return f"{{ __typename{more} }}"


def foreign(kind: str) -> str:
    """An id of this kind that names nothing here."""
    return encoded(f"{kind}:{UUID(int=7)}")
