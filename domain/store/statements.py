"""Statements of the store as the driver takes them, and their rows as the store reads them.

The store writes its SQL as text with `:names`. SQLAlchemy's own way from there to the rows takes several times as long as
the driver's whole work, so a text goes to the driver itself: translated once, prepared by the driver once a connection.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import TextClause

NAME = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""As SQLAlchemy reads a text: `::` is a cast, and `\\:` a colon."""

ESCAPED = re.compile(r"\\(:)")
KNOWN_AT_MOST = 2_000

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Parameters = Mapping[str, Any] | None


class Row(asyncpg.Record):
    """A row by place, by name and by attribute."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def _mapping(self) -> dict[str, Any]:
        return dict(self.items())


class NotOne(Exception):
    """A statement that answers one row answered none, or several."""


class Rows:
    """What a statement answered, read whole."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def mappings(self) -> "Rows":
        return Rows([row._mapping for row in self._rows])

    def scalars(self) -> "Rows":
        """The first column."""
        return Rows([row[0] for row in self._rows])

    def scalar(self) -> Any:
        """The first column of the first row; None without rows."""
        return self._rows[0][0] if self._rows else None

    def one(self) -> Any:
        """Raises NotOne."""
        if len(self._rows) != 1:
            raise NotOne(f"{len(self._rows)} rows")
        return self._rows[0]

    def one_or_none(self) -> Any:
        """Raises NotOne where there are several."""
        return self.one() if self._rows else None


async def rows(driver: Driver, statement: TextClause, parameters: Parameters) -> Rows:
    sql, names = _translated(statement.text)
    given = parameters or {}
    return Rows(await driver.fetch(sql, *[given[name] for name in names], record_class=Row))


async def changed(driver: Driver, statement: TextClause, parameters: Parameters) -> int:
    """How many rows it wrote."""
    sql, names = _translated(statement.text)
    given = parameters or {}
    told: str = await driver.execute(sql, *[given[name] for name in names])
    return int(told.rpartition(" ")[2])


@lru_cache(maxsize=KNOWN_AT_MOST)
def _translated(text: str) -> tuple[str, tuple[str, ...]]:
    """With `$1` for the first name and so on, and the names in that order."""
    places: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${places.setdefault(found[1], len(places) + 1)}"

    return ESCAPED.sub(r"\1", NAME.sub(place, text)), tuple(places)
