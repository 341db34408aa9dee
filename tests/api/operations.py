"""Random operations that are valid for a schema: aliases, fragments, directives, variables, nesting, pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis.strategies import DataObject, booleans, integers, sampled_from

from api.fields import PLANNED
from api.selection import metadata_of

MOST_FIELDS = 4
WORDS = (
    "cup",
    "ＣＵＰ",
    "茶",
    "カップ、青",
    "100%",
    "_",
    "",
    "R-1",
    "R-9",
    "CUP",
    "GIFT",
    "nothing",
)
MOMENTS = ("2026-11-20T12:00:30Z", "2026-11-20T21:00:00+09:00", "2030-01-01T00:00:00.5Z")
SIZES = (0, 1, 2, 3, 100)
BY_THE_CLOCK = {"SyncLatency": {"oldestPendingSeconds"}}
"""Fields that say something else a moment later, by type: never asked for here."""


@dataclass(frozen=True, slots=True)
class Operation:
    source: str
    variables: Mapping[str, Any]


@dataclass
class Author:
    """Writes one operation. `ids` by kind of node; `cursors` by field of Query."""

    data: DataObject
    schema: GraphQLSchema
    ids: Mapping[str, Sequence[str]]
    cursors: Mapping[str, Sequence[str]]
    variables: dict[str, Any] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    count: int = 0

    def write(self, depth: int) -> Operation:
        query = self.schema.query_type
        assert query is not None
        planned = (name for name, each in query.fields.items() if PLANNED in metadata_of(each))
        body = self._fields(query, depth, sorted(planned))
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        source = "\n".join([f"query Generated{declared} {body}", *self.fragments])
        return Operation(source, self.variables)

    def _pick(self, options: Sequence[Any]) -> Any:
        return self.data.draw(sampled_from(options))

    def _chance(self, one_in: int) -> bool:
        return self.data.draw(integers(1, one_in)) == 1

    def _next(self) -> int:
        self.count += 1
        return self.count

    # ── selections ──

    def _selection(self, kind: GraphQLNamedType, depth: int) -> str:
        if is_abstract_type(kind):
            return self._of_abstract(kind, depth)
        names = [
            name
            for name, each in kind.fields.items()  # type: ignore[attr-defined]
            if depth > 0 or is_leaf_type(get_named_type(each.type))
            if name not in BY_THE_CLOCK.get(kind.name, ())
        ]
        return self._fields(kind, depth, names)

    def _of_abstract(self, kind: Any, depth: int) -> str:
        some = [self._pick(self.schema.get_possible_types(kind)) for _ in range(2)]
        below = [f"... on {each.name} {self._selection(each, depth)}" for each in some]
        shared = [
            self._field(kind, name, 0) for name in ("id",) if name in getattr(kind, "fields", {})
        ]
        return "{ " + " ".join(["__typename", *shared, *below]) + " }"

    def _fields(self, kind: Any, depth: int, names: Sequence[str]) -> str:
        if not names:
            return "{ __typename }"
        chosen = [self._pick(names) for _ in range(self.data.draw(integers(1, MOST_FIELDS)))]
        written = [self._field(kind, name, depth) for name in chosen]
        written += ["__typename"] if self._chance(4) else []
        if self._chance(4):
            written.append(self._fragment(kind, self._field(kind, self._pick(names), depth)))
        return "{ " + " ".join(written) + " }"

    def _fragment(self, kind: Any, inner: str) -> str:
        if self._chance(2):
            condition = f"on {kind.name}" if self._chance(2) else ""
            return f"... {condition} {self._directive()} {{ {inner} }}"
        name = f"F{self._next()}"
        self.fragments.append(f"fragment {name} on {kind.name} {{ {inner} }}")
        return f"...{name} {self._directive()}"

    def _field(self, kind: Any, name: str, depth: int) -> str:
        definition: GraphQLField = kind.fields[name]
        arguments = self._arguments(name, definition)
        plain = not arguments and self._chance(3) and kind.name == "Query"
        alias = "" if plain else f"{name}{self._next()}: "
        below = get_named_type(definition.type)
        selection = "" if is_leaf_type(below) else self._selection(below, depth - 1)
        return f"{alias}{name}{arguments} {self._directive()} {selection}"

    def _directive(self) -> str:
        if not self._chance(6):
            return ""
        name = self._pick(("include", "skip"))
        value = self.data.draw(booleans())
        if self._chance(2):
            return f"@{name}(if: {str(value).lower()})"
        return f"@{name}(if: ${self._declare('Boolean!', value)})"

    # ── arguments ──

    def _arguments(self, name: str, definition: GraphQLField) -> str:
        written = [
            f"{argument}: {self._given(name, argument, each)}"
            for argument, each in definition.args.items()
            if is_required_argument(each) or self._chance(3)
        ]
        return f"({', '.join(written)})" if written else ""

    def _given(self, name: str, argument: str, definition: GraphQLArgument) -> str:
        value = self._value(name, argument, definition.type)
        if self._chance(3) and not isinstance(get_named_type(definition.type), GraphQLEnumType):
            return _literal(value, definition.type)
        if self._chance(4) and not isinstance(definition.type, GraphQLNonNull):
            return f"${self._declare(str(definition.type), value, by_default=definition.type)}"
        return f"${self._declare(str(definition.type), value)}"

    def _declare(self, kind: str, value: Any, by_default: Any = None) -> str:
        name = f"v{self._next()}"
        if by_default is None:
            self.variables[name] = value
            self.declared.append(f"${name}: {kind}")
        else:
            self.declared.append(f"${name}: {kind} = {_literal(value, by_default)}")
        return name

    def _value(self, name: str, argument: str, kind: Any) -> Any:
        if not isinstance(kind, GraphQLNonNull):
            return None if self._chance(8) else self._some(name, argument, kind)
        return self._some(name, argument, kind.of_type)

    def _some(self, name: str, argument: str, kind: Any) -> Any:
        if isinstance(kind, GraphQLList):
            of = get_named_type(kind)
            return [self._some(name, argument, of) for _ in range(self.data.draw(integers(0, 3)))]
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind)
        if isinstance(kind, GraphQLEnumType):
            return self._pick(sorted(kind.values))
        return self._leaf(name, argument, kind.name)

    def _input(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        return {
            name: self._value("", name, each.type)
            for name, each in kind.fields.items()
            if isinstance(each.type, GraphQLNonNull) or self._chance(4)
        }

    def _leaf(self, name: str, argument: str, kind: str) -> Any:
        if kind == "Boolean":
            return self.data.draw(booleans())
        if kind == "Int":
            wild = (-1, 101) if argument in ("first", "last") and name != "listings" else ()
            return self._pick((*SIZES, *(wild if self._chance(6) else ())))
        if kind == "DateTime":
            return self._pick(MOMENTS)
        if kind == "ID":
            return self._id(name, argument)
        if argument in ("after", "before"):
            return self._pick((*self.cursors.get(name, ()), "bm90aGluZw=="))
        return self._pick(WORDS)

    def _id(self, name: str, argument: str) -> str:
        """Mostly of the right kind; never junk where a list that may not be null would have to refuse it."""
        kind = {"shop": "Shop", "product": "Product", "group": "ProductGroup", "jobid": "Job"}.get(
            argument.removeprefix("missingIn").removesuffix("Ids").lower()
        )
        if kind == "Shop" and name == "listings":
            return str(self._pick(self.ids["Shop"]))
        if self._chance(12):
            return str(self._pick(("junk", *self.ids["Order"])))
        known = self.ids[kind] if kind else [each for ids in self.ids.values() for each in ids]
        return str(self._pick(known))


def _literal(value: Any, kind: Any) -> str:
    """A value in the query language."""
    if isinstance(kind, GraphQLNonNull):
        return _literal(value, kind.of_type)
    if value is None:
        return "null"
    if isinstance(kind, GraphQLList):
        return "[" + ", ".join(_literal(each, kind.of_type) for each in value) + "]"
    if isinstance(kind, GraphQLInputObjectType):
        return (
            "{"
            + ", ".join(
                f"{name}: {_literal(each, kind.fields[name].type)}" for name, each in value.items()
            )
            + "}"
        )
    if isinstance(kind, GraphQLEnumType):
        return str(value)
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
