"""The least operation that reaches a field of the schema's roots, made from the schema itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from api.schema import schema
from api.selection import required
from domain.model.roles import Permission

SCHEMA = schema()._schema
VALUES: Mapping[str, Any] = {
    "String": "x",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "ID": "x",
    "DateTime": "2026-11-20T00:00:00Z",
}
"""A value of each scalar; one that is missing here fails the walk, and is to be added."""


@dataclass(frozen=True)
class Step:
    """A field of a root, and the right that it needs."""

    kind: str
    name: str
    definition: GraphQLField
    needs: Permission

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}"


def roots() -> Iterator[Step]:
    for operation in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type):
        assert operation is not None
        for name, definition in operation.fields.items():
            needs = required(operation, definition)
            assert needs is not None, f"{operation.name}.{name} says nothing of its right"
            yield Step(operation.name.lower(), name, definition, needs)


@dataclass
class Written:
    """An operation of one field. `ids`: what ids name, by kind of node; with them every argument that takes ids is
    given, else only what must be."""

    step: Step
    depth: int = 0
    ids: Mapping[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        arguments = self.step.definition.args
        wanted = {name: each for name, each in arguments.items() if self._wanted(name, each)}
        self.variables = {name: self._value(name, each.type) for name, each in wanted.items()}
        declared = ", ".join(f"${name}: {each.type}" for name, each in wanted.items())
        passed = ", ".join(f"{name}: ${name}" for name in wanted)
        head = f"{self.step.kind} Walk({declared})" if declared else f"{self.step.kind} Walk"
        call = f"{self.step.name}({passed})" if passed else self.step.name
        return f"{head} {{ {call} {selected(self.step.definition, self.depth)} }}"

    def _wanted(self, name: str, given: GraphQLArgument | GraphQLInputField) -> bool:
        if isinstance(given.type, GraphQLNonNull):
            return True
        return bool(self.ids) and _takes_ids(given.type)

    def _value(self, name: str, kind: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(name, kind.of_type)
        if isinstance(kind, GraphQLList):
            return [self._value(name, kind.of_type)]
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind)
        return self._id(name) if kind.name == "ID" and self.ids else VALUES[kind.name]

    def _object(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        fields = {n: each for n, each in kind.fields.items() if self._wanted(n, each)}
        if kind.extensions["strawberry-definition"].is_one_of:
            fields = dict(list(kind.fields.items())[:1])
        return {name: self._value(name, each.type) for name, each in fields.items()}

    def _id(self, name: str) -> str:
        """By what the argument is called, else the field: `shopIds` are of shops, `jobProgress(ids:)` of jobs."""
        called = name.removesuffix("s").removesuffix("Id").removesuffix("id").lower()
        by_argument = (given for kind, given in self.ids.items() if called in kind.lower())
        by_field = (given for kind, given in self.ids.items() if kind.lower() in self.step.name)
        return next(by_argument if called else by_field, self.ids["Product"])


def _takes_ids(kind: Any) -> bool:
    named: Any = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        return any(_takes_ids(each.type) for each in named.fields.values() if each.type != kind)
    return bool(named.name == "ID")


def selected(definition: GraphQLField, depth: int) -> str:
    """All leaves and objects below a field that need no argument, so deep."""
    named = get_named_type(definition.type)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType) or depth == 0:
        return "{ __typename }"
    assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
    below = [
        f"{name} {selected(each, depth - 1)}"
        for name, each in named.fields.items()
        if not any(isinstance(given.type, GraphQLNonNull) for given in each.args.values())
    ]
    return "{ __typename " + " ".join(below) + " }"
