"""What has become of a released schema, for those who built on it.

| | Means |
| --- | --- |
| BREAKING | an operation that was good is refused now, or answers what its client cannot read |
| DANGEROUS | operations stay good; a client may meet what it did not expect, a new value of an enum, say |

What was deprecated for ANNOUNCED may go: its reason names the day, `@deprecated(reason: "2026-11-22: ask for total.")`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from graphql import (
    REMOVE,
    BreakingChange,
    ConstDirectiveNode,
    DangerousChange,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InputValueDefinitionNode,
    Node,
    Visitor,
    build_ast_schema,
    find_schema_changes,
    parse,
    print_ast,
    visit,
)

ANNOUNCED = timedelta(days=183)

Place = tuple[str, ...]
"""Of a member: ("Query", "products", "filter")."""
Member = FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode


class Severity(StrEnum):
    BREAKING = "breaking"
    DANGEROUS = "dangerous"


@dataclass(frozen=True, slots=True)
class Change:
    severity: Severity
    sentence: str


def changes_since(released: str, now: str, today: date) -> list[Change]:
    """Of two SDLs, what breaks before what is dangerous, each by its words. Raises GraphQLError for what is no SDL."""
    before, after = parse(released), parse(now)
    kept = _without_expired(before, set(_members(after)), today)
    found = [*_of_types(kept, after), *_of_rights(before, after)]
    return sorted(found, key=lambda each: (each.severity, each.sentence))


def deprecated_on(member: Member) -> date | None:
    """The day that its deprecation names; None where it is not deprecated, or no day is named."""
    reason = next((_value(each) for each in _named(member, "deprecated")), "")
    day = re.search(r"\b\d{4}-\d{2}-\d{2}\b", reason)
    try:
        return date.fromisoformat(day[0]) if day else None
    except ValueError:
        return None


def undated(sdl: str) -> list[str]:
    """Members whose deprecation does not say since when."""
    return [
        ".".join(place)
        for place, member in _members(parse(sdl)).items()
        if _named(member, "deprecated") and deprecated_on(member) is None
    ]


def _of_types(before: DocumentNode, after: DocumentNode) -> Iterator[Change]:
    for change in find_schema_changes(_in_use(before), build_ast_schema(after)):
        match change:
            case BreakingChange():
                yield Change(Severity.BREAKING, change.description)
            case DangerousChange():
                yield Change(Severity.DANGEROUS, change.description)


def _of_rights(before: DocumentNode, after: DocumentNode) -> Iterator[Change]:
    """A field that needs another right than it did is refused to tokens that had it."""
    members = _members(after)
    for place, member in _members(before).items():
        asked = _right(members[place]) if place in members else None
        if asked and asked != _right(member):
            words = f"{_right(member) or 'no right'} to {asked}"
            yield Change(
                Severity.BREAKING, f"{'.'.join(place)} has changed what it needs from {words}."
            )


def _right(member: Member) -> str | None:
    return next((_value(each) for each in _named(member, "requires")), None)


def _named(member: Member, directive: str) -> Sequence[ConstDirectiveNode]:
    return [each for each in member.directives or () if each.name.value == directive]


def _value(directive: ConstDirectiveNode) -> str:
    """Of its only argument."""
    return "".join(print_ast(each.value).strip('"') for each in directive.arguments or ())


def _in_use(document: DocumentNode) -> GraphQLSchema:
    """Without types that nothing leads to any more. What implements an interface stands behind `node`."""
    whole = build_ast_schema(document)
    behind = [
        kind
        for kind in whole.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind.interfaces
    ]
    return GraphQLSchema(
        whole.query_type,
        whole.mutation_type,
        whole.subscription_type,
        types=behind,
        directives=whole.directives,
    )


def _members(document: DocumentNode) -> Mapping[Place, Member]:
    finding = _Finding()
    visit(document, finding)
    return finding.found


def _without_expired(document: DocumentNode, kept: set[Place], today: date) -> DocumentNode:
    """Without what is gone now and was announced for long enough."""
    removing = _Removing(kept, today)
    made: DocumentNode = visit(document, removing)
    return made


class _Finding(Visitor):
    """Every field, argument, input field and enum value, by its place."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[Place, Member] = {}

    def enter(self, node: Node, *around: Any) -> Any:
        if isinstance(node, Member):
            self.found[_place(node, around[-1])] = node


class _Removing(Visitor):
    def __init__(self, kept: set[Place], today: date) -> None:
        super().__init__()
        self._kept = kept
        self._today = today

    def enter(self, node: Node, *around: Any) -> Any:
        if not isinstance(node, Member) or _place(node, around[-1]) in self._kept:
            return None
        since = deprecated_on(node)
        return REMOVE if since and since + ANNOUNCED <= self._today else None


def _place(member: Member, ancestors: Sequence[Any]) -> Place:
    above = [each.name.value for each in ancestors if hasattr(each, "name")]
    return (*above, member.name.value)
