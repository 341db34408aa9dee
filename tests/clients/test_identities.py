"""The examples ask for the id of whatever has one: by it a cache knows that a change concerns what is shown."""

from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    visit,
)

from api.schema import print_sdl
from tests.api.transport.test_examples import SOURCES

SCHEMA = build_schema(print_sdl())


class Anonymous(Visitor):
    """Fields whose answer has an id that is not asked for."""

    def __init__(self, types: TypeInfo, fragments: dict[str, SelectionSetNode]) -> None:
        super().__init__()
        self.found: list[str] = []
        self._types = types
        self._fragments = fragments

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        fields = getattr(get_named_type(self._types.get_type()), "fields", {})
        if node.selection_set and "id" in fields and not self._asks(node.selection_set):
            self.found.append(node.name.value)

    def _asks(self, selected: SelectionSetNode) -> bool:
        for each in selected.selections:
            match each:
                case FieldNode():
                    asks = each.name.value == "id" and not each.directives
                case FragmentSpreadNode():
                    asks = self._asks(self._fragments[each.name.value])
                case InlineFragmentNode():
                    asks = self._asks(each.selection_set)
            if asks:
                return True
        return False


def anonymous(source: str) -> list[str]:
    document, types = parse(source), TypeInfo(SCHEMA)
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    visitor = Anonymous(types, fragments)
    visit(document, TypeInfoVisitor(types, visitor))
    return visitor.found


@pytest.mark.parametrize("name", SOURCES)
def test_an_example_asks_for_every_id(name: str) -> None:
    assert anonymous(SOURCES[name]) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{ shops { name } }", ["shops"]),
        ("{ shops { id name } }", []),
        ("{ shops { ...S } } fragment S on Shop { id }", []),
        ('{ node(id: "x") { ... on Shop { name } } }', ["node"]),
        ("query ($no: Boolean!) { shops { id @skip(if: $no) name } }", ["shops"]),
        ("{ products { edges { node { code listings { id } } } } }", ["node"]),
    ],
)
def test_an_id_that_is_not_asked_for_is_found(source: str, expected: list[str]) -> None:
    assert anonymous(source) == expected
