"""An operation is planned once for each shape of its variables, and answered with one statement.

The shape is what decides the SQL: which variables are given, the Booleans and enums among them, the kinds of nodes that
ids name. All else is bound. Plans are kept by the hash of their document, operation, shape and rights; the oldest unused
go first.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    get_operation_ast,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values

from api.context import Context
from api.errors import shown
from api.nodes import kind_of_id
from api.recent import Recent
from api.selection import Given, Mark, NotPlanned, Selector, Slot, fragments_of
from api.settle import Settler
from api.trusted import hash_of
from domain.model.actors import ActorKind
from domain.model.errors import DomainError
from domain.model.roles import Permission
from domain.store.reads import MODELS, Arguments, BadArgument, Fields, Statement, compiled

MOST_PLANS = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """`marks`: what is left for Python; without any, the database's bytes are the answer."""

    statement: Statement
    slots: tuple[Slot | Given, ...]
    marks: tuple[Mark, ...]

    def values(
        self, request: Mapping[str, Any], variables: VariableValues
    ) -> tuple[list[Arguments], list[Any]]:
        """The arguments of every slot and what the statement is bound with. Raises BadArgument."""
        slots = [_arguments(number, slot, variables) for number, slot in enumerate(self.slots)]
        return slots, self.statement.bind(request, slots)


@dataclass(frozen=True, slots=True)
class Answer:
    """`executed`: false for a request that could not begin; then there is no `data`."""

    body: bytes
    executed: bool = True


class Planner:
    """Answers queries. One serves a process; `schema` is the one the documents were validated against.

    `introspection`: the schema is guessed at in what is said of mistakes.
    """

    def __init__(
        self, schema: GraphQLSchema, most_plans: int = MOST_PLANS, *, introspection: bool = True
    ) -> None:
        self.schema = schema
        self._introspection = introspection
        self.plans: Recent[Plan] = Recent(most_plans)

    async def answer(
        self,
        context: Context,
        source: str,
        document: DocumentNode,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> Answer | None:
        """The whole answer as bytes, or None where the operation is not for this way: it goes on to Strawberry.

        `document` is `source`, parsed and validated.
        """
        operation = get_operation_ast(document, operation_name)
        if operation is None or operation.operation is not OperationType.QUERY:
            return None
        coerced = get_variable_values(
            self.schema,
            operation.variable_definitions or (),
            dict(variables or {}),
            hide_suggestions=not self._introspection,
        )
        if isinstance(coerced, list):
            locale = context.viewer.locale
            return Answer(
                orjson.dumps({"errors": [shown(each, locale) for each in coerced]}), False
            )
        shape = shape_of(self.schema, operation, coerced)
        key = (hash_of(source), operation_name, shape, context.viewer.permissions)
        selector = self._selector(context, document, operation, coerced)
        try:
            plan = self.plans.get(key) or self._planned(key, selector)
        except NotPlanned:
            return None
        return await self._run(context, plan, selector)

    def _planned(self, key: Hashable, selector: Selector) -> Plan:
        plan = planned(selector, Selector.roots)
        return self.plans.keep(key, plan) if selector.sound else plan

    def _selector(
        self,
        context: Context,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Selector:
        fragments = fragments_of(document.definitions)
        permissions = context.viewer.permissions
        return Selector(self.schema, operation, fragments, variables, permissions)

    async def _run(self, context: Context, plan: Plan, selector: Selector) -> Answer:
        plan, slots, data = await run(context, plan, selector, Selector.roots)
        if not plan.marks:
            return Answer(b'{"data":' + data + b"}")
        settler = Settler(plan.marks, slots, context.viewer.locale)
        settled = settler.settle(orjson.loads(data))
        errors = {"errors": [each.formatted for each in settler.errors]} if settler.errors else {}
        return Answer(orjson.dumps({**errors, "data": settled}))


Walk = Callable[[Selector], Fields]
"""Selects what is to be read; walked again from the start when an argument cannot be used."""


def planned(selector: Selector, walk: Walk) -> Plan:
    """Raises NotPlanned."""
    statement = compiled(MODELS, "Query", walk(selector))
    return Plan(statement, tuple(selector.slots), tuple(selector.marks))


async def run(
    context: Context, plan: Plan, selector: Selector, walk: Walk
) -> tuple[Plan, Sequence[Arguments], bytes]:
    """The plan as it was run, its arguments and the bytes of its JSON object."""
    plan, slots, values = _bound(context, plan, selector, walk)
    async with context.db.transaction(context.viewer.account_id) as tx:
        return plan, slots, await tx.planned(plan.statement.sql, values)


def _bound(
    context: Context, plan: Plan, selector: Selector, walk: Walk
) -> tuple[Plan, list[Arguments], list[Any]]:
    """With the statement's values; where an argument cannot be used, the plan without its field."""
    while True:
        try:
            return (plan, *plan.values(request_values(context), selector.variables))
        except BadArgument as bad:
            slot = plan.slots[bad.slot]
            assert isinstance(slot, Slot)
            selector = selector.without(slot.node, bad.reason)
            plan = planned(selector, walk)


def request_values(context: Context) -> Mapping[str, Any]:
    """What every statement may name; see `models.REQUEST_VALUES`."""
    viewer = context.viewer
    return {
        "account": viewer.account_id,
        "user": viewer.actor.id if viewer.actor.kind is ActorKind.USER else None,
        "token": viewer.actor.id if viewer.actor.kind is ActorKind.TOKEN else None,
        "permissions": [each.value for each in Permission if each in viewer.permissions],
        "locale": viewer.locale.value,
    }


def shape_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: VariableValues
) -> Hashable:
    """Two requests of the same document and shape have the same statement."""
    given = variables.coerced
    return tuple(
        (name, _shape(type_from_ast(schema, each.type), given.get(name)))
        for each in operation.variable_definitions or ()
        for name in [each.variable.name.value]
    )


def _shape(kind: Any, value: Any) -> Hashable:
    if isinstance(kind, GraphQLNonNull):
        return _shape(kind.of_type, value)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        shapes = {_shape(kind.of_type, each) for each in value}
        return frozenset(shapes) if _decides(kind) else "list"
    if isinstance(kind, GraphQLInputObjectType):
        return tuple(
            (name, _shape(kind.fields[name].type, each)) for name, each in sorted(value.items())
        )
    if isinstance(kind, GraphQLEnumType) or kind.name == "Boolean":
        return value if isinstance(value, bool) else str(value)
    return kind_of_id(value) if kind.name == "ID" else "given"


def _decides(kind: GraphQLList[Any]) -> bool:
    """Of a list only the kinds that its ids name decide anything."""
    return getattr(get_named_type(kind), "name", "") == "ID"


def _arguments(number: int, slot: Slot | Given, variables: VariableValues) -> Arguments:
    try:
        return slot.arguments(variables)
    except DomainError as error:
        raise BadArgument(number, error) from error
