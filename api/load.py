"""Nodes for resolvers: what is selected below a field, read by one statement.

Mutations, subscriptions and queries that are not planned name the rows they answer with `node(model, id)`; the schema
reads such fields by `load`, all that stand at one place of the document together. Fields below take what was loaded,
so nothing is executed twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from graphql import get_named_type
from graphql.execution.collect_fields import FieldDetails, FragmentDetails

from api.context import Context, ResolveInfo
from api.plan import Walk, planned, run
from api.selection import Given, Refused, Selector
from api.settle import Settler
from domain.store.reads import Arguments, Children, Fields, Ref, Selected

Tree = dict[str, Any]
"""A node as it was selected: by response key, leaves as JSON; where one is refused, the error to raise."""


def node(model: str, row_id: UUID | None) -> Any:
    """What a resolver or a payload answers for a node of this kind."""
    return None if row_id is None else Ref(model, row_id)


def nodes(model: str, row_ids: Sequence[UUID]) -> Any:
    return [Ref(model, row_id) for row_id in row_ids]


async def load(info: ResolveInfo, model: str, ids: Sequence[UUID]) -> list[Tree | None]:
    """The nodes as selected below this field, in the order of their ids; None for what is foreign or gone.

    Raises GraphQLError where a field that may not be null is refused.
    """
    return await load_refs(info, [Ref(model, each) for each in ids])


async def load_roots(info: ResolveInfo) -> Tree:
    """All planned fields of a query that others keep from being planned whole: one statement, one snapshot."""
    key = (id(info.operation), id(info.variable_values))
    pending = info.context.pending
    task = pending.get(key)
    if task is None:
        task = pending[key] = asyncio.ensure_future(_read_roots(key, info))
    return await asyncio.shield(task)


async def load_refs(info: ResolveInfo, refs: Sequence[Ref]) -> list[Tree | None]:
    """Like `load`, of any kinds."""
    if not refs:
        return []

    def walk(selector: Selector) -> Fields:
        selector.slots.append(Given({"ids": list(refs)}))
        children = _children(selector, info)
        return (Selected("nodes", "nodes", 0, {"ids": list(refs)}, children),)

    try:
        found: list[Tree | None] = (await _run(info, walk))["nodes"]
    except Refused as refused:
        raise refused.error from refused
    return found


async def load_root(info: ResolveInfo, name: str, arguments: Arguments) -> Any:
    """What the root of this name answers to the arguments, as selected below this field."""

    def walk(selector: Selector) -> Fields:
        selector.slots.append(Given(arguments))
        return (Selected(name, name, 0, arguments, _children(selector, info)),)

    return (await _run(info, walk))[name]


@dataclass(slots=True)
class Batch:
    """Rows asked for at one place of a document within one turn of the loop."""

    info: ResolveInfo
    refs: dict[Ref, None] = field(default_factory=dict)
    task: "asyncio.Task[dict[Ref, Tree | None]] | None" = None


async def load_together(info: ResolveInfo, value: Any) -> Any:
    """The trees of a `Ref` or of a list of them; neighbours in a list of results are read by one statement.

    What a list names and what is gone by now is left out of it.
    """
    if not isinstance(value, list):
        return (await _batch(info, [value]))[value]
    found = await _batch(info, value)
    return [tree for tree in map(found.get, value) if tree is not None]


async def _batch(info: ResolveInfo, refs: Sequence[Ref]) -> dict[Ref, Tree | None]:
    pending = info.context.pending
    key = (*map(id, info.field_nodes), id(info.variable_values))
    batch = pending.setdefault(key, Batch(info))
    batch.refs.update(dict.fromkeys(refs))
    if batch.task is None:
        batch.task = asyncio.ensure_future(_read(key, batch))
    return await asyncio.shield(batch.task)


async def _read(key: tuple[int, ...], batch: Batch) -> dict[Ref, Tree | None]:
    await asyncio.sleep(0)
    del batch.info.context.pending[key]
    refs = list(batch.refs)
    return dict(zip(refs, await load_refs(batch.info, refs), strict=True))


async def _read_roots(key: tuple[int, ...], info: ResolveInfo) -> Tree:
    await asyncio.sleep(0)
    del info.context.pending[key]
    return await _run(info, lambda selector: selector.roots(only_planned=True))


async def _run(info: ResolveInfo, walk: Walk) -> Tree:
    context: Context = info.context
    selector = _selector(info)
    plan, slots, data = await run(context, planned(selector, walk), selector, walk)
    settler = Settler(plan.marks, slots, context.viewer.locale, raising=True)
    settled: Tree = settler.settle(orjson.loads(data))
    return settled


def _selector(info: ResolveInfo) -> Selector:
    fragments = {name: FragmentDetails(each) for name, each in info.fragments.items()}
    permissions = info.context.viewer.permissions
    return Selector(
        info.schema, info.operation, fragments, info.variable_values, permissions, typed=True
    )


def _children(selector: Selector, info: ResolveInfo) -> Children:
    kind: Any = get_named_type(info.return_type)
    return selector.children(kind, [FieldDetails(each, None) for each in info.field_nodes])
