"""The schema, put together: what may be asked, and how what is asked is resolved where it is not planned.

`print_sdl()` is what `schema.graphql` holds.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    is_introspection_type,
)
from strawberry.schema.config import StrawberryConfig

from api.context import ResolveInfo
from api.error_codes import ErrorCode
from api.events.subscription import Subscription
from api.fields import PLANNED
from api.jobs import BulkChange, ReflectJob, ShopCheck
from api.load import load_roots, load_together
from api.mutation import Mutation
from api.order_fetch import OrderFetch
from api.orders import OrderLine
from api.query import Query
from api.scalars import SCALARS
from api.seeing import check_seen
from api.selection import TYPE_KEY, forbidden, required
from domain.model.roles import Permission
from domain.store.reads import Ref

Resolve = Callable[..., Any]
NODES = (BulkChange, ReflectJob, ShopCheck, OrderFetch, OrderLine)
"""Nodes that no field names by themselves."""

WORDS = (ErrorCode,)
"""What clients read in errors, where no field can name it."""


@cache
def schema() -> strawberry.Schema:
    """Made once a process."""
    made = strawberry.Schema(
        Query,
        Mutation,
        Subscription,
        types=(*NODES, *WORDS),
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    return resolved(made)


def resolved(made: strawberry.Schema) -> strawberry.Schema:
    """The schema, with planned fields and payloads resolved by what is loaded for them."""
    for kind in made._schema.type_map.values():
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            kind.resolve_type = _written_type
        elif isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            kind.is_type_of = None
            _resolve_fields(kind)
    return made


def print_sdl() -> str:
    return schema().as_str() + "\n"


def _written_type(tree: Any, *_: Any) -> str:
    return str(tree[TYPE_KEY])


def _resolve_fields(kind: GraphQLObjectType) -> None:
    from_tree = _from_root if kind.name == "Query" else _from_tree
    for definition in kind.fields.values():
        declared = definition.extensions["strawberry-definition"]
        if PLANNED in declared.metadata:
            definition.resolve = from_tree
        elif declared.base_resolver is None:
            definition.resolve = _loaded(declared.python_name)
        _guard(kind, definition)


def _from_tree(tree: Any, info: ResolveInfo, **_: Any) -> Any:
    """What was loaded stands under the response key; a refused field holds the error to raise."""
    value = tree[str(info.path.key)]
    if isinstance(value, Exception):
        raise value
    return value


async def _from_root(_: Any, info: ResolveInfo, **__: Any) -> Any:
    return _from_tree(await load_roots(info), info)


def _loaded(name: str) -> Resolve:
    """A payload's attribute; rows that it names are read. In what was loaded it stands as other fields do."""

    def resolve(source: Any, info: ResolveInfo) -> Any:
        if isinstance(source, dict):
            return _from_tree(source, info)
        value = getattr(source, name)
        named = value[0] if isinstance(value, list) and value else value
        return load_together(info, value) if isinstance(named, Ref) else value

    return resolve


def _guard(kind: GraphQLObjectType, definition: GraphQLField) -> None:
    """A field with a resolver of its own is not resolved for those who may not.

    Raises TypeError for one that changes or follows something and names no right: everything is denied otherwise.
    """
    needed = required(kind, definition)
    if needed is None and kind.name in ("Mutation", "Subscription"):
        name = definition.extensions["strawberry-definition"].python_name
        raise TypeError(f"{kind.name}.{name} names no right that it needs")
    if needed is None or definition.resolve in (_from_root, _from_tree):
        return
    if definition.subscribe is not None:
        definition.subscribe = _guarded(definition.subscribe, needed)
    elif definition.resolve is not None:
        definition.resolve = _guarded(definition.resolve, needed)


def _guarded(resolve: Resolve, needed: Permission) -> Resolve:
    def guarded(source: Any, info: ResolveInfo, **arguments: Any) -> Any:
        if needed not in info.context.viewer.permissions:
            raise forbidden(needed, info.field_nodes[0])
        check_seen(info)
        return resolve(source, info, **arguments)

    return guarded
