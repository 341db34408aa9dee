"""What a reader asks for, free of GraphQL: a plain tree of fields, their arguments and what hangs below them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = Mapping[str, Any]
"""By name in snake_case; enums as their values, ids as `Ref`. Absent and None mean the same: not asked for."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One field. `key`: its name in the answer. `name`: the read model's name of it.

    `slot`: where its arguments stand in what the statement is bound with; `arguments` are those of the first
    request, and only their shape may decide the statement. `children`: of one type, or by concrete type where the
    field's type is abstract. `mark`: the value is not final; the statement writes {"@": [mark, …facts]} in its place.
    """

    key: str
    name: str
    slot: int = -1
    arguments: Arguments = field(default_factory=dict)
    children: "Children" = ()
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A text that is known before the database is asked: `__typename`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """Answered null, with the error that `mark` stands for."""

    key: str
    mark: int


Child = Selected | Constant | Withheld
Fields = tuple[Child, ...]
Children = Fields | Mapping[str, Fields]
