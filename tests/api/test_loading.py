"""Nodes that resolvers answer: read by one statement for each place of the document, and the same as when planned."""

from inspect import isawaitable
from typing import Any
from uuid import UUID, uuid4

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from strawberry.schema.config import StrawberryConfig

from api.fields import Requires
from api.jobs import Job
from api.load import node, nodes
from api.nodes import Node, global_id
from api.products import Product
from api.query import Query
from api.scalars import SCALARS
from api.schema import NODES, resolved
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.api.statements import statements
from tests.factories import a_listing, a_product, a_row, a_shop


@strawberry.type
class Result:
    product: Product | None
    note: str


@strawberry.type
class Payload:
    results: list[Result]
    target: Node | None
    jobs: list[Job]
    listings: list[Product | None]


GIVEN: dict[str, Any] = {}


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=[Requires(permission=Permission.CATALOGUE)])
    def save(self) -> Payload:
        products: list[UUID] = GIVEN["products"]
        return Payload(
            results=[Result(product=node("Product", each), note="ok") for each in products],
            target=node("Shop", GIVEN["shop"]),
            jobs=nodes("Job", GIVEN["jobs"]),
            listings=nodes("Product", [*products, uuid4()]),
        )

    @strawberry.mutation(directives=[Requires(permission=Permission.USERS)])
    def forbidden(self) -> str | None:
        return "done"


@pytest.fixture(scope="module")
def saving() -> strawberry.Schema:
    config = StrawberryConfig(scalar_map=SCALARS)
    return resolved(strawberry.Schema(Query, Mutation, types=NODES, config=config))


async def executed(
    saving: strawberry.Schema, asker: Asker, source: str, **variables: Any
) -> ExecutionResult:
    made = execute(
        saving._schema, parse(source), context_value=asker.context, variable_values=variables
    )
    return await made if isawaitable(made) else made


@pytest.fixture
async def given(asker: Asker, db: Database) -> dict[str, Any]:
    async with db.transaction(asker.account) as tx:
        shop = await a_shop(tx, settings={"speed": "1"})
        products = [await a_product(tx, code, total=3) for code in ("A", "B")]
        for nth, product in enumerate(products):
            await a_listing(tx, shop, f"page-{nth}", product_id=product)
        job = await a_row(tx, "jobs", kind="SHOP_CHECK", shop_id=shop)
    GIVEN.update(shop=shop, products=products, jobs=[job])
    return GIVEN


async def test_payloads_hold_what_was_selected(
    asker: Asker, saving: strawberry.Schema, given: dict[str, Any]
) -> None:
    with statements() as sent:
        result = await executed(
            saving,
            asker,
            """mutation ($all: Boolean!) { save {
              results { note product { id total a: listings { itemCode } b: listings { shop { name mall { name } } } updatedAt @include(if: $all) } }
              other: results { product { code kind } }
              target { __typename id ... on Shop { state settings { key } } }
              jobs { __typename kind progress { text } ... on ShopCheck { shop { name } } }
              listings { code } } }""",
            all=False,
        )

    assert result.errors is None
    assert result.data == {
        "save": {
            "results": [
                {
                    "note": "ok",
                    "product": {
                        "id": global_id("Product", product),
                        "total": 3,
                        "a": [{"itemCode": f"page-{nth}"}],
                        "b": [{"shop": {"name": "楽天本店", "mall": {"name": "Rakuten Ichiba"}}}],
                    },
                }
                for nth, product in enumerate(given["products"])
            ],
            "other": [{"product": {"code": code, "kind": "SINGLE"}} for code in ("A", "B")],
            "target": {
                "__typename": "Shop",
                "id": global_id("Shop", given["shop"]),
                "state": "ONBOARDING",
                "settings": [{"key": "speed"}],
            },
            "jobs": [
                {
                    "__typename": "ShopCheck",
                    "kind": "SHOP_CHECK",
                    "progress": {"text": "It waits."},
                    "shop": {"name": "楽天本店"},
                }
            ],
            "listings": [{"code": "A"}, {"code": "B"}],
        }
    }
    assert sum(each.startswith("SELECT") for each in sent) == 5


async def test_what_may_not_be_seen_is_null_with_its_path(
    asker: Asker, saving: strawberry.Schema, given: dict[str, Any]
) -> None:
    asker.permissions = PERMISSIONS[Role.STAFF]

    result = await executed(
        saving,
        asker,
        "mutation { save { target { ... on Shop { name settings { key } } } } forbidden }",
    )

    assert result.data == {
        "save": {"target": {"name": "楽天本店", "settings": None}},
        "forbidden": None,
    }
    assert [(each.path, (each.extensions or {})["code"]) for each in result.errors or ()] == [
        (["save", "target", "settings"], "FORBIDDEN"),
        (["forbidden"], "FORBIDDEN"),
    ]


async def test_queries_answer_alike_when_graphql_core_executes_them(
    asker: Asker, saving: strawberry.Schema, given: dict[str, Any]
) -> None:
    query = """query ($id: ID!) { __typename shops { name state mall { kind } } eventCursor
      products(first: 1) { edges { cursor node { code updatedAt group { name } } } pageInfo { endCursor } totalCount }
      node(id: $id) { __typename ... on Product { code } } jobs { edges { node { __typename createdAt } } }
      bad: products(first: 1000) { totalCount } malls { kind columns { label } } }"""
    variables = {"id": global_id("Product", given["products"][0])}
    planned = await asker.answer(query, **variables)

    with statements() as sent:
        result = await executed(saving, asker, query, **variables)

    assert result.data == planned["data"]
    assert [each.path for each in result.errors or ()] == [["bad"]]
    assert sum(each.startswith("SELECT") for each in sent) == 1
