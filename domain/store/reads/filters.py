"""Conditions that filters make of their arguments."""

from domain.model.links import fold
from domain.store.reads.models import Filter, Order, Where

WORD_BREAKS = str.maketrans("，、", ",,")


def equals(sql: str, cast: str = "text", *needs: str) -> Filter:
    return _compared(sql, "=", cast, needs)


def at_least(sql: str, cast: str, *needs: str) -> Filter:
    return _compared(sql, ">=", cast, needs)


def at_most(sql: str, cast: str, *needs: str) -> Filter:
    return _compared(sql, "<=", cast, needs)


def before(sql: str, cast: str, *needs: str) -> Filter:
    return _compared(sql, "<", cast, needs)


def among(sql: str, cast: str, *needs: str) -> Filter:
    """The argument is a list; an empty one matches nothing."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return f"{where.fill(sql)} = ANY ({where.bind(name, cast + '[]')})"

    return make


def shares(sql: str, *needs: str) -> Filter:
    """A text[] that has something in common with the list."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return f"{where.fill(sql)} && {where.bind(name, 'text[]')}"

    return make


def holds(sql: str, *needs: str) -> Filter:
    """The argument is a Boolean and says whether the condition holds."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return f"({where.fill(sql)}) = {where.bind(name, 'boolean')}"

    return make


def in_range(sql: str, *needs: str) -> Filter:
    """The argument is an `IntRange`."""

    def make(where: Where, name: str) -> str:
        where.need(*needs)
        inner = where.inner(name)
        checks = {"eq": "=", "gte": ">=", "lte": "<="}
        given = [
            f"{where.fill(sql)} {sign} {inner.bind(limit, 'int')}"
            for limit, sign in checks.items()
            if inner.given(limit)
        ]
        return " AND ".join(given) or "true"

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


NEWEST_FIRST = {"NEWEST": Order(descending=True)}


def _compared(sql: str, sign: str, cast: str, needs: tuple[str, ...]) -> Filter:
    def make(where: Where, name: str) -> str:
        where.need(*needs)
        return f"{where.fill(sql)} {sign} {where.bind(name, cast)}"

    return make


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
