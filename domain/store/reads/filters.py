"""Conditions that filters make of their arguments, and the orders that lists come in."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.model.links import fold
from domain.store.reads.models import Filter, Order, Where

WORD_BREAKS = str.maketrans("，、", ",,")
NEWEST_FIRST = {"NEWEST": Order(descending=True)}
OLDEST_FIRST = {"OLDEST": Order()}


def equals(sql: str, cast: str = "text", *needs: str) -> Filter:
    return _compared(sql, "=", cast, needs)


def at_least(sql: str, cast: str, *needs: str) -> Filter:
    return _compared(sql, ">=", cast, needs)


def below(sql: str, cast: str, *needs: str) -> Filter:
    return _compared(sql, "<", cast, needs)


def among(sql: str, cast: str, *needs: str) -> Filter:
    """The argument is a list; an empty one matches nothing."""
    return matching(f"{sql} = ANY (ARGUMENT)", f"{cast}[]", *needs)


def matching(sql: str, cast: str, *needs: str) -> Filter:
    """A condition that names its ARGUMENT once."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return where.fill(sql).replace("ARGUMENT", where.bind(name, cast))

    return make


def by_actor(sql: str = "({t}.actor ->> 'id')::uuid") -> Filter:
    """The argument lists persons and tokens, of whatever kind."""

    def make(where: Where, name: str) -> str:
        return f"{where.fill(sql)} = ANY ({where.bind(name, 'uuid[]', _row_ids)})"

    return make


def holds(sql: str, *needs: str) -> Filter:
    """The argument is a Boolean and says whether the condition holds."""
    return matching(f"({sql}) = ARGUMENT", "boolean", *needs)


def in_range(sql: str, *needs: str) -> Filter:
    """The argument is an `IntRange`: all of its limits hold."""
    return all_of(
        {
            "eq": equals(sql, "int", *needs),
            "gte": at_least(sql, "int", *needs),
            "lte": _compared(sql, "<=", "int", needs),
        }
    )


def all_of(filters: Mapping[str, Filter]) -> Filter:
    """The argument is an input object: each of its fields that is given holds."""

    def make(where: Where, name: str) -> str:
        inner = where.inner(name)
        given = [each(inner, own) for own, each in filters.items() if inner.given(own)]
        return " AND ".join(given) or "true"

    return make


def by_value(conditions: Mapping[str, str], *needs: str) -> Filter:
    """The argument is an enum, each of whose values is a condition."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return where.fill(conditions[str(where.value(name))])

    return make


def searched(sql: str, ids: str) -> Filter:
    """The argument is a search; `ids`: the function's call, in which WORDS are its patterns. No words: no condition."""

    def make(where: Where, name: str) -> str:
        words = where.bind(name, "text[]", patterns)
        found = where.fill(f"{sql} IN (SELECT {ids})").replace("WORDS", words)
        return f"(cardinality({words}) = 0 OR {found})"

    return make


def patterns(text: object) -> list[str]:
    """LIKE patterns of the words of a search, which commas part."""
    words = (fold(word) for word in str(text).translate(WORD_BREAKS).split(","))
    return [f"%{_escaped(word)}%" for word in words if word]


def both_ways(name: str, sql: str, cast: str = "text", *needs: str) -> dict[str, Order]:
    return {
        f"{name}_ASC": Order(sql, cast, needs=needs),
        f"{name}_DESC": Order(sql, cast, descending=True, needs=needs),
    }


def _compared(sql: str, sign: str, cast: str, needs: tuple[str, ...]) -> Filter:
    return matching(f"{sql} {sign} ARGUMENT", cast, *needs)


def _row_ids(refs: Any) -> list[UUID]:
    return [ref.id for ref in refs]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
