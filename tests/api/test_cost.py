"""What operations cost, worked out before they are read."""

import tracemalloc
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate

from api.cost import Price, Prices, objects_in, weight
from api.schema import schema
from tests.api.transport.test_examples import SOURCES

SCHEMA = schema()._schema
MOST = 10_000


def price(source: str, **variables: Any) -> Price:
    return priced(Prices(SCHEMA), source, **variables)


def priced(prices: Prices, source: str, **variables: Any) -> Price:
    document = parse(source)
    assert validate(SCHEMA, document) == []
    [operation] = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    return prices.of(source, document, operation, variables)


PAGE = "query ($n: Int, $count: Boolean = false) { products(first: $n) { totalCount @include(if: $count) edges { node { code } } } }"
TOTALS = "mutation ($items: [SetStockItem!]!) { setStock(input: {items: $items}) { results { product { code } } userErrors { code } } }"


@pytest.mark.parametrize(
    ("case", "source", "variables", "expected"),
    [
        ("nothing costs a point", "{ __typename }", {}, 1),
        ("values are free", "{ account { name code } }", {}, 1),
        ("objects in objects", "{ viewer { account { name } } }", {}, 2),
        ("a page: itself, and edge and node for each row", PAGE, {"n": 10}, 21),
        ("a page nobody gave a size", PAGE, {}, 201),
        ("none", PAGE, {"n": None}, 201),
        ("an empty page", PAGE, {"n": 0}, 1),
        ("what is no size", PAGE, {"n": -5}, 1),
        ("counting the whole list is dear", PAGE, {"n": 0, "count": True}, 11),
        ("a size in the document", "{ products(last: 3) { edges { node { id } } } }", {}, 7),
        (
            "pages in pages",
            "{ products(first: 10) { edges { node { listings { openErrors { id } } } } } }",
            {},
            1 + 10 * (2 + 5 * (1 + 5)),
        ),
        ("nodes by their ids", '{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 3),
        (
            "of an abstract type the dearest",
            '{ node(id: "a") { id ... on Listing { product { id } shop { id } } ... on Product { code } } }',
            {},
            3,
        ),
        (
            "the same field twice is one",
            "{ viewer { account { name } ...F } } fragment F on Viewer { account { code } }",
            {},
            2,
        ),
        ("under two names it is two", "{ a: viewer { locale } b: viewer { locale } }", {}, 2),
        ("what is skipped is free", "{ viewer @skip(if: true) { account { id } } }", {}, 1),
        (
            "what Python makes weighs one a row",
            "{ syncErrors(first: 10) { edges { node { message } } } }",
            {},
            1 + 10 * 3,
        ),
        ("the schema, whatever of it", "{ __schema { types { name } } }", {}, 5_000),
        ("a type", '{ __type(name: "Product") { name } }', {}, 250),
        (
            "a mutation, its payload, and a result for each item",
            TOTALS,
            {"items": [{"productId": "x", "total": 1}] * 30},
            10 + 1 + 30 * 2,
        ),
        (
            "the start of a subscription",
            "subscription { errorEvents { cursor } }",
            {},
            10 + 1,
        ),
        ("variables that cannot be read", PAGE, {"n": "many"}, 1),
    ],
)
def test_what_an_operation_costs(
    case: str, source: str, variables: dict[str, Any], expected: int
) -> None:
    assert price(source, **variables).requested == expected, case


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"n": "many"}, {"n": 100}),
        ({"n": 100, "count": 1}, {"n": 100, "count": True}),
        ({"n": 0}, {"n": 100.0}),
        ({"n": 0}, {}),
    ],
)
def test_a_price_is_remembered_for_the_same_sizes_only(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    prices = Prices(SCHEMA)
    priced(prices, PAGE, **first)
    assert priced(prices, PAGE, **then) == price(PAGE, **then)
    assert price(PAGE, **then).requested > 200


def test_prices_keep_no_copy_of_their_document() -> None:
    source, prices = f"# {'x' * 40_000}\n{PAGE}", Prices(SCHEMA)
    document = parse(source)
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)

    tracemalloc.start()
    for size in range(100):
        prices.of(source.encode().decode(), document, operation, {"n": size})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 10 * len(source)


@pytest.mark.parametrize("name", SOURCES)
def test_no_screen_of_ours_is_too_expensive(name: str) -> None:
    assert 0 < price(SOURCES[name]).requested <= MOST / 1.5


def test_pages_in_pages_are_too_expensive() -> None:
    nested = (
        "{ orders { edges { node { lines { product { listings { openErrors { id } } } } } } } }"
    )
    assert price(nested).requested > MOST


@pytest.mark.parametrize(
    ("case", "paid", "objects", "expected"),
    [
        ("as many as was thought", Price(objects=200, dear=100), 200, 300),
        ("half", Price(objects=200, dear=100), 100, 150),
        ("none", Price(objects=200, dear=100, fixed=10), 0, 10),
        ("nothing at all is a point", Price(objects=200), 0, 1),
        ("more than was thought", Price(objects=5, dear=5), 20, 40),
        ("a part of a weight is a point", Price(objects=200, dear=10), 1, 2),
        ("the schema", Price(fixed=5_000, uncounted=True), 3_000, 5_000),
    ],
)
def test_what_is_paid_in_the_end(case: str, paid: Price, objects: int, expected: int) -> None:
    assert paid.actual(objects) == expected, case


@pytest.mark.parametrize(
    ("case", "body", "expected"),
    [
        ("values", b'{"data":{"a":1}}', 0),
        ("objects", b'{"data":{"a":{"b":[{"c" : 1},{"c" : 2}]}}}', 3),
        ("braces in texts", b'{"data":{"a":{"b":"{\\"c\\":1}{x"}}}', 1),
        ("null", b'{"data":null}', 0),
        ("errors are none", b'{"errors":[{"message":"m","path":["a"]}],"data":{"a":{"b":1}}}', 1),
        ("a field named data", b'{"data":{"l":[{"x":1}],"data":{"y":1}}}', 2),
        ("only errors", b'{"errors":[{"message":"m"}],"data":null}', 0),
    ],
)
def test_the_objects_of_an_answer_are_counted(case: str, body: bytes, expected: int) -> None:
    assert objects_in(body) == expected, case


def test_the_schema_says_what_a_field_weighs() -> None:
    products = SCHEMA.get_type("ProductConnection")
    assert weight(products.fields["totalCount"]) == 10  # type: ignore[union-attr]
    assert weight(products.fields["edges"]) == 0  # type: ignore[union-attr]
    assert "totalCount: Int @cost(weight: 10)" in schema().as_str()
