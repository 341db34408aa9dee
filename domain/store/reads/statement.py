"""One SQL statement while it is written: its aliases, its parameters, its FROM items and conditions."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from domain.model.errors import DomainError
from domain.store.reads.models import (
    REQUEST_VALUES,
    Convert,
    Filter,
    Form,
    Model,
    Part,
    Value,
    identity,
)
from domain.store.reads.selection import Arguments, Selected

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
FORMS: Mapping[Form, str] = {
    Form.TEXT: "coalesce(to_json(VALUE)::text, 'null')",
    Form.WORD: "coalesce('\"' || (VALUE) || '\"', 'null')",
    Form.NUMBER: "coalesce((VALUE)::text, 'null')",
    Form.JSON: "coalesce((VALUE)::text, 'null')",
    Form.MOMENT: (
        "coalesce(to_char((VALUE) AT TIME ZONE 'UTC', "
        '\'\\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\\"\'), \'null\')'
    ),
    Form.BASE64: "coalesce('\"' || encode(convert_to(VALUE, 'UTF8'), 'base64') || '\"', 'null')",
}


@dataclass(frozen=True, slots=True)
class Ref:
    """One node: its model's name and the row's id."""

    model: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a placeholder is bound with: `read` of the arguments at `slot`, or the request's value `name`."""

    slot: int
    read: Callable[[Arguments], Any]
    name: str = ""


class BadArgument(Exception):
    """`slot`: whose arguments. `reason`: what is wrong with them."""

    def __init__(self, slot: int, reason: DomainError) -> None:
        super().__init__(slot)
        self.slot = slot
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Statement:
    """`checks`: read like parameters and bound to nothing, for arguments that must be sound whatever is selected."""

    sql: str
    parameters: tuple[Parameter, ...]
    checks: tuple[Parameter, ...] = ()

    def bind(self, request: Mapping[str, Any], slots: Sequence[Arguments]) -> list[Any]:
        """The values in order. Raises BadArgument."""
        for check in self.checks:
            _bound(check, request, slots)
        return [_bound(parameter, request, slots) for parameter in self.parameters]


@dataclass(slots=True)
class Scope:
    """One row's alias; `joins` are shared by all rows of one select, in the order in which they refer back."""

    model: Model
    alias: str
    joins: dict[str, str] = field(default_factory=dict)


class Builder:
    """Hands out aliases and placeholders, each once."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models
        self.parameters: list[Parameter] = []
        self.checks: list[Parameter] = []
        self._requested: dict[str, str] = {}
        self._aliases = 0

    def scope(self, model: str, beside: Scope | None = None) -> Scope:
        """A new row of a model: in a select of its own, or joined beside another."""
        self._aliases += 1
        return Scope(
            self.models[model], f"a{self._aliases}", {} if beside is None else beside.joins
        )

    def bind(self, cast: str, slot: int, read: Callable[[Arguments], Any], name: str = "") -> str:
        self.parameters.append(Parameter(slot, read, name))
        return f"${len(self.parameters)}::{cast}"

    def check(self, slot: int, read: Callable[[Arguments], Any]) -> None:
        self.checks.append(Parameter(slot, read))

    def fill(self, sql: str, t: str, o: str = "") -> str:
        """The SQL with its aliases, and with placeholders for the request's values."""
        aliases = {"t": t, "o": o}

        def put(match: re.Match[str]) -> str:
            name = match.group(1)
            return aliases[name] if name in aliases else self._request(name)

        return PLACEHOLDER.sub(put, sql)

    def value(self, part: Value, scope: Scope) -> str:
        """The SQL of a value's JSON text."""
        self.take(part.needs, scope)
        return FORMS[part.form].replace("VALUE", self.fill(part.sql, scope.alias))

    def take(self, needs: Sequence[str], scope: Scope) -> None:
        """Joins by name, each once a row."""
        for name in needs:
            join = self.fill(scope.model.joins[name], scope.alias)
            scope.joins.setdefault(f"{scope.alias}_{name}", join)

    def source(self, scope: Scope) -> str:
        """The FROM items of a select; to be asked last, when all that needs a join has taken it."""
        return " ".join([self.fill(scope.model.source, scope.alias), *scope.joins.values()])

    def account(self, scope: Scope) -> str:
        return self.fill(scope.model.account, scope.alias)

    def where(
        self,
        selected: Selected,
        filters: Mapping[str, Filter],
        scope: Scope,
        *conditions: str,
    ) -> str:
        """The account, these conditions, and the filters that are given. They may take joins."""
        place = Place(self, selected.slot, selected.arguments, scope)
        given = [make(place, name) for name, make in filters.items() if place.given(name)]
        return " AND ".join([self.account(scope), *conditions, *given])

    def _request(self, name: str) -> str:
        if name not in self._requested:
            self._requested[name] = self.bind(REQUEST_VALUES[name], -1, _nothing, name)
        return self._requested[name]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a filter stands; see `models.Where`. `path`: the names below which its arguments are found.

    `other`: the alias of a row in a sub-select of the filter's own, whose joins are all there.
    """

    builder: Builder
    slot: int
    arguments: Arguments
    scope: Scope
    path: tuple[str, ...] = ()
    other: str = ""

    def given(self, name: str) -> bool:
        return self.value(name) is not None

    def value(self, name: str) -> Any:
        return _found(self.arguments, (*self.path, name))

    def bind(self, name: str, cast: str, convert: Convert | None = None) -> str:
        path = (*self.path, name)

        def read(arguments: Arguments) -> Any:
            value = _found(arguments, path)
            return value if convert is None or value is None else convert(value)

        return self.builder.bind(cast, self.slot, read)

    def fill(self, sql: str) -> str:
        return self.builder.fill(sql, self.other or self.scope.alias)

    def need(self, *names: str) -> None:
        if not self.other:
            self.builder.take(names, self.scope)

    def inner(self, name: str) -> "Place":
        """Where the fields of the input object of this name stand."""
        return replace(self, path=(*self.path, name))

    def beside(self, alias: str) -> "Place":
        """For the row of this alias in a sub-select of the filter's own."""
        return replace(self, other=alias)


def parts_of(model: Model) -> Mapping[str, Part]:
    return {"id": identity(model.name, model.key), **model.parts}


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """The SQL of an object's text, from its keys and the SQL of their values' texts."""
    pieces = [f'"{key}":\' || {value}' for key, value in pairs]
    if not pieces:
        return "'{}'"
    return "('{" + " || ',".join(pieces) + " || '}')"


def _bound(parameter: Parameter, request: Mapping[str, Any], slots: Sequence[Arguments]) -> Any:
    if parameter.name:
        return request[parameter.name]
    try:
        return parameter.read(slots[parameter.slot])
    except DomainError as error:
        raise BadArgument(parameter.slot, error) from error


def _found(arguments: Arguments, path: Sequence[str]) -> Any:
    found: Any = arguments
    for name in path:
        if found is None:
            return None
        found = found.get(name)
    return found


def _nothing(arguments: Arguments) -> None:
    return None
