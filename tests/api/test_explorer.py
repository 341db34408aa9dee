"""What the explorer begins with: operations that this schema knows."""

import re

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, validate

from api.graphiql import STATIC
from api.schema import schema

TABS = re.findall(r"query: `(.*?)`", (STATIC / "tabs.js").read_text(), re.DOTALL)


def test_there_are_five_of_every_kind() -> None:
    kinds = []
    for each in TABS:
        operation = parse(each).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        kinds.append(operation.operation)
    query, follow, change = OperationType.QUERY, OperationType.SUBSCRIPTION, OperationType.MUTATION
    assert kinds == [query, follow, query, change, query]


@pytest.mark.parametrize("document", TABS, ids=lambda text: text.split("\n")[0])
def test_the_schema_knows_each(document: str) -> None:
    assert validate(schema()._schema, parse(document)) == []


def test_what_it_asks_by_itself_is_known_too() -> None:
    asked = re.findall(r'const SOME = "(.*?)";', (STATIC / "explorer.js").read_text())
    assert [validate(schema()._schema, parse(each)) for each in asked] == [[]]
