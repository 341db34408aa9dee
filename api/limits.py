"""How much one document may ask for, found in time that grows with the budget and never with the nesting of fragments.

| Limit | Why |
| --- | --- |
| SOURCE_CHARACTERS, TOKENS | the parser holds the loop while it reads |
| SELECTIONS | all selections as fragments unfold them: what execution and validation would walk |
| DEPTH | selections below each other; the introspection query of the usual tools needs 15 |
| ALIASES | as fragments unfold them |
| ROOT_FIELDS, ROOT_MUTATIONS | each root field is read by itself, and each mutation is a transaction |
| DIRECTIVES | as fragments unfold them; each is looked up, and read again for each execution |
| FRAGMENTS, VARIABLES | definitions, which validation compares with each other |
| VALUES, TEXT_CHARACTERS | of the variables that are sent along, however deep: they are coerced one by one |
| REPEATS | one response key at one depth: validation compares each pair of them |
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)

from api.errors import Code, Refused, refused

SOURCE_CHARACTERS = 50_000
TOKENS = 5_000
SELECTIONS = 2_500
DEPTH = 20
ALIASES = 100
ROOT_FIELDS = 50
ROOT_MUTATIONS = 20
DIRECTIVES = 200
FRAGMENTS = 200
VARIABLES = 100
REPEATS = 200
VALUES = 10_000
TEXT_CHARACTERS = 100_000

PARSING: dict[str, Any] = {
    "max_tokens": TOKENS,
    "max_lexical_tokens": TOKENS,
    "max_comments": TOKENS,
    "max_source_length": SOURCE_CHARACTERS,
    "allow_empty_selection_sets": False,
}


class TooMuch(Exception):
    """`error`: which limit, and what to do."""

    def __init__(self, code: Code, message: str, node: Node) -> None:
        super().__init__(message)
        self.error = GraphQLError(message, node, extensions={"code": code.value})


def check(document: DocumentNode) -> None:
    """Raises TooMuch. The document need not be valid: unknown and circular fragments are left to validation."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    _check_count(Code.TOO_MANY_FRAGMENTS, "fragments", list(fragments.values()), FRAGMENTS)
    walk = _Walk(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            walk.operation(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            walk.definition(definition)


def check_variables(variables: Mapping[str, Any]) -> None:
    """Raises Refused."""
    count = 0
    waiting: list[Any] = [variables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            count += len(value)
            waiting.extend(value.values() if isinstance(value, dict) else value)
        if count > VALUES:
            raise _too_large("values", VALUES)
        if isinstance(value, str) and len(value) > TEXT_CHARACTERS:
            raise _too_large("characters in one text", TEXT_CHARACTERS)


def _too_large(what: str, most: int) -> Refused:
    message = f"The variables hold more than {most:,} {what}: send the rest in further requests."
    return refused(Code.VARIABLES_TOO_LARGE, message)


@dataclass(slots=True)
class _Walk:
    """Unfolds fragments and counts. `inside`: the fragments around the place where it is."""

    fragments: dict[str, FragmentDefinitionNode]
    selections: int = 0
    aliases: int = 0
    directives: int = 0
    roots: int = 0
    most_roots: int = SELECTIONS
    repeats: Counter[tuple[int, str]] = field(default_factory=Counter)
    inside: list[str] = field(default_factory=list)

    def operation(self, operation: OperationDefinitionNode) -> None:
        variables = operation.variable_definitions or ()
        _check_count(Code.TOO_MANY_VARIABLES, "variables", variables, VARIABLES)
        mutates = operation.operation is OperationType.MUTATION
        self.most_roots = ROOT_MUTATIONS if mutates else ROOT_FIELDS
        self.definition(operation)
        self.most_roots = SELECTIONS

    def definition(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        self.aliases = self.directives = self.roots = 0
        self.repeats.clear()
        self._count_directives(definition)
        self._below(definition.selection_set, 1)

    def _below(self, selection_set: SelectionSetNode | None, depth: int) -> None:
        for node in selection_set.selections if selection_set else ():
            self.selections += 1
            if self.selections > SELECTIONS:
                _too_many(Code.TOO_COMPLEX, "selections, fragments unfolded", SELECTIONS, node)
            self._selection(node, depth)

    def _selection(self, node: SelectionNode, depth: int) -> None:
        self._count_directives(node)
        if isinstance(node, FieldNode):
            self._field(node, depth)
            self._below(node.selection_set, depth + 1)
        elif isinstance(node, FragmentSpreadNode):
            self._spread(node.name.value, depth)
        else:
            self._below(getattr(node, "selection_set", None), depth)

    def _field(self, node: FieldNode, depth: int) -> None:
        key = (node.alias or node.name).value
        self.aliases += node.alias is not None
        self.roots += depth == 1
        self.repeats[depth, key] += 1
        if depth > DEPTH:
            _too_many(Code.TOO_DEEP, "levels", DEPTH, node)
        if self.aliases > ALIASES:
            _too_many(Code.TOO_MANY_ALIASES, "aliases, fragments unfolded", ALIASES, node)
        if self.roots > self.most_roots:
            _too_many(Code.TOO_MANY_ROOT_FIELDS, "fields of the root", self.most_roots, node)
        if self.repeats[depth, key] > REPEATS:
            _too_many(Code.TOO_COMPLEX, f"times {key!r} at one depth", REPEATS, node)

    def _spread(self, name: str, depth: int) -> None:
        fragment = self.fragments.get(name)
        if fragment is None or name in self.inside:
            return
        self.inside.append(name)
        self._below(fragment.selection_set, depth)
        self.inside.pop()

    def _count_directives(
        self, node: SelectionNode | OperationDefinitionNode | FragmentDefinitionNode
    ) -> None:
        self.directives += len(node.directives or ())
        if self.directives > DIRECTIVES:
            _too_many(Code.TOO_MANY_DIRECTIVES, "directives, fragments unfolded", DIRECTIVES, node)


def _check_count(code: Code, what: str, nodes: Sequence[Node], most: int) -> None:
    if len(nodes) > most:
        _too_many(code, what, most, nodes[most])


def _too_many(code: Code, what: str, most: int, node: Node) -> None:
    raise TooMuch(code, f"More than {most:,} {what}: ask for less, or in several operations.", node)
