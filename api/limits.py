"""How much one document may ask for, found in time that grows with the budget and never with the nesting of fragments.

| Limit | Why |
| --- | --- |
| SOURCE_CHARACTERS, TOKENS | the parser holds the loop while it reads |
| SELECTIONS | all selections as fragments unfold them: what execution and validation would walk |
| DEPTH | selections below each other; the introspection query of the usual tools needs 15 |
| ALIASES | as fragments unfold them |
| REPEATS | one response key at one depth: validation compares each pair of them |
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from api.errors import Code

SOURCE_CHARACTERS = 50_000
TOKENS = 5_000
SELECTIONS = 2_500
DEPTH = 20
ALIASES = 100
REPEATS = 200

PARSING: dict[str, Any] = {
    "max_tokens": TOKENS,
    "max_lexical_tokens": TOKENS,
    "max_comments": TOKENS,
    "max_source_length": SOURCE_CHARACTERS,
    "allow_empty_selection_sets": False,
}


class TooMuch(Exception):
    """`error`: which limit, and what to do."""

    def __init__(self, code: Code, message: str, node: SelectionNode) -> None:
        super().__init__(message)
        self.error = GraphQLError(message, node, extensions={"code": code.value})


def check(document: DocumentNode) -> None:
    """Raises TooMuch. The document need not be valid: unknown and circular fragments are left to validation."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    walk = _Walk(fragments)
    for definition in document.definitions:
        if isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode)):
            walk.definition(definition)


@dataclass(slots=True)
class _Walk:
    """Unfolds fragments and counts. `inside`: the fragments around the place where it is."""

    fragments: dict[str, FragmentDefinitionNode]
    selections: int = 0
    aliases: int = 0
    repeats: Counter[tuple[int, str]] = field(default_factory=Counter)
    inside: list[str] = field(default_factory=list)

    def definition(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        self.aliases = 0
        self.repeats.clear()
        self._below(definition.selection_set, 1)

    def _below(self, selection_set: SelectionSetNode | None, depth: int) -> None:
        for node in selection_set.selections if selection_set else ():
            self.selections += 1
            if self.selections > SELECTIONS:
                _too_many(Code.TOO_COMPLEX, "selections, fragments unfolded", SELECTIONS, node)
            self._selection(node, depth)

    def _selection(self, node: SelectionNode, depth: int) -> None:
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
        self.repeats[depth, key] += 1
        if depth > DEPTH:
            _too_many(Code.TOO_DEEP, "levels", DEPTH, node)
        if self.aliases > ALIASES:
            _too_many(Code.TOO_MANY_ALIASES, "aliases, fragments unfolded", ALIASES, node)
        if self.repeats[depth, key] > REPEATS:
            _too_many(Code.TOO_COMPLEX, f"times {key!r} at one depth", REPEATS, node)

    def _spread(self, name: str, depth: int) -> None:
        fragment = self.fragments.get(name)
        if fragment is None or name in self.inside:
            return
        self.inside.append(name)
        self._below(fragment.selection_set, depth)
        self.inside.pop()


def _too_many(code: Code, what: str, most: int, node: SelectionNode) -> None:
    raise TooMuch(code, f"More than {most:,} {what}: ask for less, or in several operations.", node)
