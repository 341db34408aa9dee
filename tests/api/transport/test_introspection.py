"""A server that does not tell its schema, beside one that does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import get_introspection_query

from api.app import create_app
from domain.settings import Settings
from tests.api.transport.serving import Api

MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("a field", {"query": "{ viewr { locale } }"}),
    ("an argument", {"query": "{ products(frst: 1) { totalCount } }"}),
    ("a type", {"query": "query ($f: ProductFiltr) { products(filter: $f) { totalCount } }"}),
    ("an enum", {"query": "{ differences(kind: FROM_TOTL) { totalCount } }"}),
    ("a field of an input", {"query": '{ products(filter: {txt: "a"}) { totalCount } }'}),
    (
        "a field of a variable",
        {
            "query": "query ($f: ProductFilter) { products(filter: $f) { totalCount } }",
            "variables": {"f": {"txt": "a"}},
        },
    ),
    (
        "an enum of a variable",
        {
            "query": "query ($k: DifferenceKind) { differences(kind: $k) { totalCount } }",
            "variables": {"k": "FROM_TOTL"},
        },
    ),
    (
        "a variable of a mutation",
        {
            "query": "mutation ($i: SaveProductInput!) { saveProduct(input: $i) { userErrors { code } } }",
            "variables": {"i": {"cod": "a"}},
        },
    ),
]


@pytest.fixture
async def closed(settings: Settings, api: Api) -> AsyncIterator[Api]:
    async with api.elsewhere(create_app(replace(settings, introspection=False))) as here:
        yield here


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __type(name: "Shop") { name } }',
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    ],
)
async def test_the_schema_is_not_told(closed: Api, query: str) -> None:
    answer = (await closed.post({"query": query})).json()
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"INTROSPECTION_OFF"}


async def test_the_name_of_a_type_is_told_all_the_same(closed: Api) -> None:
    assert (await closed.ask("{ __typename viewer { __typename } }")) == {
        "__typename": "Query",
        "viewer": {"__typename": "Viewer"},
    }


@pytest.mark.parametrize(("case", "request_"), MISTAKES)
async def test_mistakes_are_told_without_a_guess(
    api: Api, closed: Api, case: str, request_: dict[str, Any]
) -> None:
    assert "Did you mean" in (await api.post(request_)).text, case
    answer = await closed.post(request_)
    assert "errors" in answer.json(), case
    assert "Did you mean" not in answer.text, case


async def test_the_explorer_opens_all_the_same(closed: Api) -> None:
    page = await closed.get(accept="text/html")
    assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")


async def test_by_default_it_is_told_whole(api: Api) -> None:
    told = await api.ask(get_introspection_query(descriptions=True))
    names = {kind["name"] for kind in told["__schema"]["types"]}
    assert {"Product", "ErrorCode"} <= names
