"""One statement an operation, kept by the shape of its variables, and nothing in it that the viewer may not see."""

from typing import Any
from uuid import uuid4

import pytest
from graphql import parse
from sqlalchemy import text

from api.nodes import global_id
from api.plan import Planner
from api.schema import schema
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.store.database import Database, Tx
from tests.api.conftest import Asker
from tests.api.statements import statements
from tests.factories import a_listing, a_product, a_shop

GRID = """{ products(first: 100) { edges { node { code total
  listings { itemCode quantityToShow shop { id name mall { kind } } product { code } } } } totalCount } shops { name } eventCursor }"""


async def test_a_hundred_products_with_listings_and_shops_are_one_statement(
    asker: Asker, db: Database
) -> None:
    async with db.transaction(asker.account) as tx:
        shops = [await a_shop(tx, f"店{nth}") for nth in range(2)]
        for nth in range(100):
            product = await a_product(tx, f"P{nth:03}")
            for shop in shops:
                await a_listing(tx, shop, f"P{nth:03}", product_id=product)
    with statements() as sent:
        data = await asker.ask(GRID)

    assert len(data["products"]["edges"]) == 100
    assert all(len(edge["node"]["listings"]) == 2 for edge in data["products"]["edges"])
    begin, statement, commit = sent
    assert begin == f"BEGIN; SET LOCAL renkei.account = '{asker.account}'"
    assert statement.startswith("SELECT convert_to(")
    assert commit == "COMMIT"


async def test_every_table_of_a_statement_names_the_account(asker: Asker, planner: Planner) -> None:
    """Beside row-level security: the number of FROM items is that of account predicates."""
    with statements() as sent:
        await asker.ask(GRID)
    (statement,) = [each for each in sent if each.startswith("SELECT")]
    tables = statement.count(" FROM products") + statement.count(" FROM listings")
    tables += statement.count("JOIN ") + statement.count(" FROM shops")
    assert statement.count("account_id = $") >= tables > 4


BY_SHAPE = """query ($filter: ProductFilter, $first: Int, $count: Boolean = false, $ids: [ID!] = []) {
  products(filter: $filter, first: $first) { edges { node { code } } totalCount @include(if: $count) }
  nodes(ids: $ids) { id } }"""
SAME = [
    ({"filter": {"text": "a"}}, {"filter": {"text": "b,c"}}),
    ({"first": 1}, {"first": 99}),
    (
        {"filter": {"groupIds": [global_id("ProductGroup", uuid4())]}},
        {"filter": {"groupIds": [global_id("ProductGroup", uuid4()) for _ in range(2)]}},
    ),
    ({}, {"filter": None, "first": None}),
]
OTHER = [
    ({"filter": {"text": "a"}}, {"filter": {"total": {"eq": 1}}}),
    ({"count": True}, {"count": False}),
    ({"first": 1}, {}),
    ({"filter": {"total": {"gte": 1}}}, {"filter": {"total": {"lte": 1}}}),
    ({"ids": [global_id("Shop", uuid4())]}, {"ids": [global_id("Product", uuid4())]}),
]


@pytest.mark.parametrize(
    ("first", "second", "plans"),
    [(*pair, 1) for pair in SAME] + [(*pair, 2) for pair in OTHER],
)
async def test_a_plan_is_kept_by_the_shape_of_the_variables(
    asker: Asker, first: dict[str, Any], second: dict[str, Any], plans: int
) -> None:
    asker.planner = Planner(schema()._schema)
    await asker.ask(BY_SHAPE, **first)
    await asker.ask(BY_SHAPE, **second)
    assert len(asker.planner.plans) == plans


async def test_plans_are_bounded(asker: Asker) -> None:
    asker.planner = Planner(schema()._schema, most_plans=2)
    for name in ("code", "name", "timeZone"):
        await asker.ask(f"{{ account {{ {name} }} }}")
    assert len(asker.planner.plans) == 2


async def test_a_plan_whose_arguments_were_refused_is_not_kept(asker: Asker) -> None:
    asker.planner = Planner(schema()._schema)
    query = "query ($id: ID!) { node(id: $id) { id } }"

    for junk in ("junk", "more junk"):
        answer = await asker.answer(query, id=junk)
        assert answer["data"] == {"node": None}
        assert answer["errors"][0]["extensions"] == {"code": "BAD_ID", "params": {"id": junk}}
    assert len(asker.planner.plans) == 0


async def test_variables_that_do_not_fit_their_types_are_told_before_anything_is_read(
    asker: Asker,
) -> None:
    answer = await asker.answer(BY_SHAPE, first="many")
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("words", ["\x00", "a\ud800"])
async def test_text_that_no_database_keeps_is_refused(asker: Asker, words: str) -> None:
    answer = await asker.answer(BY_SHAPE, filter={"text": words})
    assert answer["data"]["products"] is None
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"


async def test_too_many_ids_are_refused(asker: Asker) -> None:
    ids = [global_id("Shop", uuid4())] * 101
    answer = await asker.answer(BY_SHAPE, ids=ids)
    assert answer["errors"][0]["extensions"]["code"] == "TOO_MANY"
    assert answer["data"]["products"] == {"edges": []}


SECRETS = "{ shops { name settings { key } credentials { key } mine: credentials { key } } }"


async def test_what_the_viewer_may_not_see_is_null_with_its_path(
    asker: Asker, db: Database
) -> None:
    async with db.transaction(asker.account) as tx:
        await a_shop(tx, "一", settings={"speed": "1"})
        await a_shop(tx, "二")
    asker.permissions = PERMISSIONS[Role.VIEWER]

    answer = await asker.answer(SECRETS)

    hidden = {"settings": None, "credentials": None, "mine": None}
    assert answer["data"] == {"shops": [{"name": "一", **hidden}, {"name": "二", **hidden}]}
    assert [each["path"] for each in answer["errors"]] == [
        ["shops", nth, name] for nth in (0, 1) for name in ("settings", "credentials", "mine")
    ]
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"FORBIDDEN"}


async def test_rights_are_part_of_the_plan(asker: Asker, db: Database) -> None:
    async with db.transaction(asker.account) as tx:
        await a_shop(tx, settings={"speed": "1"})

    data = await asker.ask(SECRETS)
    assert data["shops"][0]["settings"] == [{"key": "speed"}]

    asker.permissions = frozenset({Permission.STOCK_READ})
    answer = await asker.answer(SECRETS)
    assert answer["data"] == {"shops": None}


async def test_what_is_not_a_query_is_not_planned(asker: Asker) -> None:
    for source in ("{ __schema { queryType { name } } }", "subscription { x }", "mutation { x }"):
        given = await asker.planner.answer(asker.context, source, parse(source))
        assert given is None


async def test_row_level_security_holds_where_a_predicate_would_be_forgotten(
    asker: Asker, db: Database
) -> None:
    async def all_products(tx: Tx) -> int:
        return int(await tx.scalar(text("SELECT count(*) FROM products")))

    async with db.transaction(uuid4()) as tx:
        assert await all_products(tx) == 0
