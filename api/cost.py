"""What an operation costs, worked out from the document and its variables before anything is read.

| | Points |
| --- | --- |
| an object | 1, times the rows that its pages may have: `first` or `last`, else 100; every edge of a page is an object too |
| a value | nothing |
| another list | as many objects as ids were given or the input has items, else ASSUMED of them |
| what `@cost` says of a field | its weight, for every object that it stands in |
| a mutation, the start of a subscription | 10 |
| `__schema`, `__type` | 5,000 and 250, whatever is selected below |

Afterwards the objects that came are counted, and the difference is given back, or taken where an assumption was too low.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from api.fields import Cost
from api.recent import Recent
from api.selection import fragments_of
from api.trusted import hash_of
from domain.store.reads import MOST_ROWS

ASSUMED = 5
BEGINNING = 10
INTROSPECTION: Mapping[str, int] = {"__schema": 5_000, "__type": 250}
MOST_PRICES = 5_000
CHARACTERS_A_POINT = 20
"""Of a document that this process has not read before: parsing and validating it holds the loop."""

LOOKING = 10
"""For a document that was named and that nobody knows."""

Grouped = Mapping[str, list[FieldDetails]]


@dataclass(frozen=True, slots=True)
class Price:
    """`objects`: how many may come. `dear`: the weights below lists. `fixed`: all other weights.

    `uncounted`: the schema is told, whose price does not depend on what comes.
    """

    objects: int = 0
    dear: int = 0
    fixed: int = 0
    uncounted: bool = False

    def __add__(self, other: "Price") -> "Price":
        return Price(
            self.objects + other.objects,
            self.dear + other.dear,
            self.fixed + other.fixed,
            self.uncounted or other.uncounted,
        )

    @property
    def requested(self) -> int:
        return max(1, self.objects + self.dear + self.fixed)

    def actual(self, objects: int) -> int:
        """With so many objects in the answer: weights below lists fall and rise with their rows."""
        if self.uncounted:
            return self.requested
        dear = -(-self.dear * objects // self.objects) if self.objects else 0
        return max(1, objects + dear + self.fixed)


NOTHING = Price()


class Prices:
    """Of the operations of a schema. One serves a process, and remembers what it has worked out, by the hash of the document:
    each request brings a copy of its text, which is not to be kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: Recent[Price] = Recent(MOST_PRICES)

    def of(
        self,
        source: str,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Price:
        """`document` is `source`, parsed and validated; `variables` as they were sent."""
        name = operation.name.value if operation.name else None
        key = (hash_of(source), name, _sizes(operation, variables))
        known = self._known.get(key) or self._worked_out(document, operation, variables)
        return NOTHING if known is None else self._known.keep(key, known)

    def _worked_out(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Price | None:
        """None where the variables cannot be read: such an operation will not begin."""
        declared = operation.variable_definitions or ()
        coerced = get_variable_values(self._schema, declared, dict(variables))
        if isinstance(coerced, list):
            return None
        return _Walk(self._schema, document, operation, coerced).price()


def _sizes(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Hashable:
    """What of the variables can change the price: numbers, switches, and how long lists are."""
    names = (each.variable.name.value for each in operation.variable_definitions or ())
    return tuple(_size(variables[name]) if name in variables else "absent" for name in names)


def _size(value: Any) -> Hashable:
    """With its type: true is no 1 and 1.0 is one, for coercion as for the price."""
    sized = value is None or isinstance(value, (bool, int, float))
    return (type(value), value if sized else longest(value))


def longest(value: Any) -> int:
    """The longest list in an input."""
    if isinstance(value, list):
        return max(len(value), *map(longest, value), 0)
    if isinstance(value, dict):
        return max(map(longest, value.values()), default=0)
    return 0


class _Walk:
    """Over one operation with its variables, fields merged and conditions decided as execution does it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._variables = variables
        self._fragments = fragments_of(document.definitions)

    def price(self) -> Price:
        root = self._schema.get_root_type(self._operation.operation)
        assert root is not None
        grouped = collect_fields(
            self._schema, self._fragments, self._variables, root, self._operation
        ).grouped_field_set
        begun = 0 if self._operation.operation is OperationType.QUERY else BEGINNING
        return self._fields(root, grouped, 1, None) + Price(fixed=begun * len(grouped))

    def _fields(
        self, parent: GraphQLObjectType, grouped: Grouped, rows: int, page: int | None
    ) -> Price:
        """`rows`: objects of the parent. `page`: rows that the field which led here was asked for."""
        prices = (self._field(parent, each, rows, page) for each in grouped.values())
        return sum(prices, Price())

    def _field(
        self, parent: GraphQLObjectType, details: list[FieldDetails], rows: int, page: int | None
    ) -> Price:
        node = details[0].node
        definition = parent.fields.get(node.name.value)
        if definition is None:
            points = INTROSPECTION.get(node.name.value, 0)
            return Price(fixed=points, uncounted=points > 0)
        kind: Any = get_named_type(definition.type)
        own = _weighed(weight(definition), rows)
        if is_leaf_type(kind) or kind.name == "UserError":
            return own
        asked = self._asked(definition, node)
        times = rows * _length(definition, page, asked)
        return own + Price(objects=times) + self._below(kind, details, times, asked)

    def _below(self, kind: Any, details: list[FieldDetails], rows: int, page: int | None) -> Price:
        """Of an abstract type the dearest of its types."""
        if not is_abstract_type(kind):
            return self._fields(kind, self._grouped(kind, details), rows, page)
        each = self._schema.get_possible_types(kind)
        prices = (self._fields(one, self._grouped(one, details), rows, page) for one in each)
        return max(prices, key=lambda price: price.requested)

    def _grouped(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Grouped:
        return collect_subfields(
            self._schema, self._fragments, self._variables, self._operation, kind, details
        ).grouped_field_set

    def _asked(self, definition: GraphQLField, node: FieldNode) -> int | None:
        """How many rows a field's arguments ask for; None where they say nothing of it."""
        if not definition.args:
            return None
        try:
            given = get_argument_values(definition, node, self._variables)
        except GraphQLError:
            return None
        if "first" in definition.args:
            size = given.get("first") if given.get("first") is not None else given.get("last")
            return MOST_ROWS if size is None else max(0, size)
        items = max(longest(given.get(name)) for name in ("ids", "input"))
        return items or None


def weight(definition: GraphQLField) -> int:
    """What `@cost` says of a field."""
    declared = definition.extensions["strawberry-definition"].directives
    return next((each.weight for each in declared if isinstance(each, Cost)), 0)


def _weighed(weight: int, rows: int) -> Price:
    return Price(fixed=weight) if rows == 1 else Price(dear=weight * rows)


def _length(definition: GraphQLField, page: int | None, asked: int | None) -> int:
    kind = definition.type.of_type if is_non_null_type(definition.type) else definition.type
    if not is_list_type(kind):
        return 1
    return next((size for size in (asked, page) if size is not None), ASSUMED)


def objects_in(body: bytes) -> int:
    """Of an answer, but for the answer itself and its root.

    The quotes of a text are escaped, so that this is only ever an object; a text that ends in a brace counts as one too.
    """
    if body.startswith(b'{"errors":'):
        _, _, body = body.partition(b'],"data":')
        return max(0, body.count(b'{"') - 1)
    return max(0, body.count(b'{"') - 2)


def reading(source: str) -> int:
    """Points for a document that this process reads for the first time."""
    return BEGINNING + len(source) // CHARACTERS_A_POINT
