"""A validated operation becomes a selection: what the store compiles, and what is done to its answer afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import camel_to_snake

from api.errors import Code, of_rule
from api.fields import MADE_BY, PLANNED, Maker, Requires
from api.nodes import read_id
from domain.model.errors import DomainError
from domain.model.roles import Permission
from domain.store.reads import MODELS, Arguments, Children, Constant, Fields, Selected, Withheld

MOST_ITEMS = 100
"""Ids or other values that one argument may list."""

TYPE_KEY = "@type"
"""The concrete type of an object, written beside its fields where graphql-core must tell types apart."""


class NotPlanned(Exception):
    """The operation holds a field that has a resolver of its own."""


class Refused(Exception):
    """A field that may not be null cannot be answered: its nearest nullable ancestor is null instead."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True)
class Slot:
    """Where arguments come from: read again for each request."""

    definition: GraphQLField
    node: FieldNode
    unusable: bool = False

    def arguments(self, variables: VariableValues) -> Arguments:
        """Raises DomainError for ids that are none, GraphQLError where a value is missing."""
        if self.unusable:
            return {}
        values = get_argument_values(self.definition, self.node, variables)
        return {
            _snake(name): _plain(name, self.definition.args[name].type, value)
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class Given:
    """Arguments that no document holds: the rows that a resolver asks for."""

    given: Arguments

    def arguments(self, variables: VariableValues) -> Arguments:
        return self.given


@dataclass(frozen=True, slots=True)
class Shaped:
    """A field below one that Python makes: an attribute of its object, or what `made_by` makes of it.

    `children`: None for a leaf; an object of which nothing is selected has none.
    """

    key: str
    name: str
    constant: str | None = None
    made_by: Maker | None = None
    slot: int = -1
    children: tuple["Shaped", ...] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A value that `made_by` makes of the facts in its place."""

    made_by: Maker
    slot: int
    children: tuple[Shaped, ...] | None


Mark = Made | GraphQLError


@dataclass(slots=True)
class Selector:
    """Walks one operation for one set of rights.

    `refused`: by the identity of their nodes, fields whose arguments cannot be used, and why. `sound`: no argument of
    this very request was refused, so that the selection holds for every request of the same shape. `typed`: objects of
    abstract types are written with their concrete type, for graphql-core to read.
    """

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDetails]
    variables: VariableValues
    permissions: frozenset[Permission]
    typed: bool = False
    refused: Mapping[int, DomainError] = field(default_factory=dict)
    slots: list[Slot | Given] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    sound: bool = True

    def without(self, node: FieldNode, reason: DomainError) -> "Selector":
        """The same walk from the start, with one more field refused."""
        refused = {**self.refused, id(node): reason}
        return replace(self, refused=refused, slots=[], marks=[], sound=True)

    def roots(self, *, only_planned: bool = False) -> Fields:
        """The fields of the operation. Raises NotPlanned for one with a resolver, unless those are left out."""
        root = self.schema.query_type
        assert root is not None
        grouped = collect_fields(
            self.schema, dict(self.fragments), self.variables, root, self.operation
        ).grouped_field_set
        if only_planned:
            grouped = {key: each for key, each in grouped.items() if _is_planned(root, each[0])}
        return tuple(self._fields(root, grouped))

    def children(
        self, kind: GraphQLObjectType | GraphQLAbstractType, details: list[FieldDetails]
    ) -> Children:
        """What is selected below a field of this type; by concrete type where it is abstract."""
        if is_object_type(kind):
            return tuple(self._fields(kind, self._grouped(kind, details)))
        assert is_abstract_type(kind)
        return {
            concrete.name: (
                *self._type(concrete),
                *self._fields(concrete, self._grouped(concrete, details)),
            )
            for concrete in self.schema.get_possible_types(kind)
        }

    def _type(self, concrete: GraphQLObjectType) -> Fields:
        return (Constant(TYPE_KEY, concrete.name),) if self.typed else ()

    def _grouped(
        self, kind: GraphQLObjectType, details: list[FieldDetails]
    ) -> dict[str, list[FieldDetails]]:
        return collect_subfields(
            self.schema, dict(self.fragments), self.variables, self.operation, kind, details
        ).grouped_field_set

    def _fields(
        self, parent: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]
    ) -> Iterator[Selected | Constant | Withheld]:
        for key, details in grouped.items():
            name = details[0].node.name.value
            if name == "__typename":
                yield Constant(key, parent.name)
                continue
            if name not in parent.fields:
                raise NotPlanned(name)
            yield self._nullable(key, parent, details)

    def _nullable(
        self, key: str, parent: GraphQLObjectType, details: list[FieldDetails]
    ) -> Selected | Withheld:
        definition = parent.fields[details[0].node.name.value]
        try:
            check_right(self.permissions, required(parent, definition), details[0].node)
            return self._selected(key, definition, details)
        except Refused as refused:
            if is_non_null_type(definition.type):
                raise
            return Withheld(key, self._mark(refused.error))

    def _selected(
        self, key: str, definition: GraphQLField, details: list[FieldDetails]
    ) -> Selected:
        node = details[0].node
        metadata = metadata_of(definition)
        if PLANNED not in metadata:
            raise NotPlanned(node.name.value)
        slot, arguments = self._arguments(definition, node)
        name = _snake(node.name.value)
        kind = get_named_type(definition.type)
        if metadata[MADE_BY] is not None:
            made = Made(metadata[MADE_BY], slot, self._shapes(kind, details))
            return Selected(key, name, slot, arguments, mark=self._mark(made))
        children = self.children(kind, details) if node.selection_set else ()  # type: ignore[arg-type]
        return Selected(key, name, slot, arguments, children)

    def _shapes(self, kind: Any, details: list[FieldDetails]) -> tuple[Shaped, ...] | None:
        if not details[0].node.selection_set:
            return None
        return tuple(
            self._shape(kind, key, below) for key, below in self._grouped(kind, details).items()
        )

    def _shape(self, parent: GraphQLObjectType, key: str, details: list[FieldDetails]) -> Shaped:
        node = details[0].node
        name = node.name.value
        if name == "__typename":
            return Shaped(key, name, constant=parent.name)
        definition = parent.fields[name]
        slot, _ = self._arguments(definition, node)
        made_by = metadata_of(definition).get(MADE_BY)
        below = self._shapes(get_named_type(definition.type), details)
        return Shaped(key, _snake(name), None, made_by, slot, below)

    def _arguments(self, definition: GraphQLField, node: FieldNode) -> tuple[int, Arguments]:
        if not definition.args:
            return -1, {}
        slot = Slot(definition, node)
        self.slots.append(slot)
        try:
            return len(self.slots) - 1, self._read(slot)
        except (DomainError, GraphQLError) as error:
            self.slots[-1] = replace(slot, unusable=True)
            self.sound = False
            raise Refused(problem(error, node)) from error

    def _read(self, slot: Slot) -> Arguments:
        if id(slot.node) in self.refused:
            raise self.refused[id(slot.node)]
        return slot.arguments(self.variables)

    def _mark(self, mark: Mark) -> int:
        self.marks.append(mark)
        return len(self.marks) - 1


def metadata_of(definition: GraphQLField) -> Mapping[str, Any]:
    """What api/fields.py noted of a field."""
    noted: Mapping[str, Any] = definition.extensions["strawberry-definition"].metadata
    return noted


def _is_planned(parent: GraphQLObjectType, details: FieldDetails) -> bool:
    definition = parent.fields.get(details.node.name.value)
    return definition is not None and PLANNED in metadata_of(definition)


def required(parent: GraphQLObjectType, definition: GraphQLField) -> Permission | None:
    """The right that a field asks for; reading begins with READ where nothing else is said."""
    declared = definition.extensions["strawberry-definition"].directives
    own = (each.permission for each in declared if isinstance(each, Requires))
    return next(own, Permission.READ if parent.name == "Query" else None)


def check_right(
    permissions: frozenset[Permission], needed: Permission | None, node: FieldNode
) -> None:
    """Raises Refused."""
    if needed is not None and needed not in permissions:
        raise Refused(forbidden(needed, node))


def forbidden(permission: Permission, node: FieldNode) -> GraphQLError:
    right = permission.value
    needed = f"You may not see or do this: it needs the right {right}."
    return of_rule(DomainError(needed, code=Code.FORBIDDEN, permission=right), node)


def problem(error: DomainError | GraphQLError, node: FieldNode | None) -> GraphQLError:
    """An argument that cannot be used, as an error that the caller can act on."""
    return error if isinstance(error, GraphQLError) else of_rule(error, node)


def fragments_of(definitions: Sequence[Any]) -> dict[str, FragmentDetails]:
    return {
        each.name.value: FragmentDetails(each)
        for each in definitions
        if isinstance(each, FragmentDefinitionNode)
    }


def _plain(name: str, kind: Any, value: Any) -> Any:
    """A coerced value as the store knows it: names in snake_case, enums as values, ids as rows."""
    if isinstance(kind, GraphQLNonNull):
        return _plain(name, kind.of_type, value)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        _check_length(name, value)
        return [_plain(name, kind.of_type, each) for each in value]
    if isinstance(kind, GraphQLInputObjectType):
        fields = kind.fields
        return {_snake(key): _plain(key, fields[key].type, each) for key, each in value.items()}
    if isinstance(value, str):
        check_text(name, value)
    if kind.name == "ID":
        model = model_of_argument(name)
        ref = read_id(value, model)
        return ref if model is None else ref.id
    return getattr(value, "value", value)


def check_text(name: str, value: str) -> None:
    """What JSON can say and no text of PostgreSQL's can be."""
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise DomainError(f"{name} holds a character that is none.", field=(name,))


def _check_length(name: str, values: Sequence[Any]) -> None:
    if len(values) > MOST_ITEMS:
        raise DomainError(
            f"{name} takes at most {MOST_ITEMS} values at once.",
            code="TOO_MANY",
            most=MOST_ITEMS,
            count=len(values),
        )


@lru_cache(maxsize=1000)
def model_of_argument(name: str) -> str | None:
    """`shopIds` and `missingInShopIds` are ids of shops; `id` and `ids` are of anything."""
    stem = name.removesuffix("s").removesuffix("Id").removesuffix("id")
    if not stem:
        return None
    kind = stem[0].upper() + stem[1:]
    return next((each for each in MODELS if kind.endswith(each) or each.endswith(kind)), None)


@lru_cache(maxsize=10_000)
def _snake(name: str) -> str:
    return camel_to_snake(name)
