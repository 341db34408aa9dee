"""What an answer shows of nodes is reading, also where it is the answer to a change: it needs the right READ."""

from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from api.context import ResolveInfo
from api.selection import forbidden
from domain.model.roles import Permission

NAMES = frozenset({"id", "__typename"})
"""What says only which node it is."""

PEOPLE = frozenset({"User", "ApiToken"})
"""Nodes that are shown to those who may change them."""


def check_seen(info: ResolveInfo) -> None:
    """Of all that is selected below a field, before anything is done. Raises GraphQLError FORBIDDEN."""
    if Permission.READ not in info.context.viewer.permissions:
        for node in info.field_nodes:
            _check(info, get_named_type(info.return_type), node.selection_set)


def _check(info: ResolveInfo, kind: Any, selected: SelectionSetNode | None) -> None:
    for each in selected.selections if selected else ():
        if isinstance(each, FieldNode):
            _check_field(info, kind, each)
        else:
            _check_fragment(info, kind, each)


def _check_field(info: ResolveInfo, kind: Any, field: FieldNode) -> None:
    name = field.name.value
    if name in NAMES:
        return
    if _is_kept(info, kind):
        raise forbidden(Permission.READ, field)
    _check(info, get_named_type(kind.fields[name].type), field.selection_set)


def _check_fragment(info: ResolveInfo, kind: Any, selection: SelectionNode) -> None:
    fragment: Any = selection
    if isinstance(selection, FragmentSpreadNode):
        fragment = info.fragments[selection.name.value]
    condition = fragment.type_condition
    on = info.schema.get_type(condition.name.value) if condition else kind
    _check(info, on, fragment.selection_set)


def _is_kept(info: ResolveInfo, kind: Any) -> bool:
    """Is it a node of which the viewer may see nothing else?"""
    if kind.name in PEOPLE and Permission.USERS in info.context.viewer.permissions:
        return False
    return any(each.name == "Node" for each in (kind, *kind.interfaces))
