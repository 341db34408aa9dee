"""販売可能数: PostgreSQL's expression is the model's rule."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis.strategies import booleans, builds, integers, lists, none
from sqlalchemy import insert

from domain.model.sets import PartStock, SetPart, sellable_sets
from domain.model.stock import effective_reserve, sellable
from domain.store import tables
from domain.store.database import Database, Tx
from tests.api.conftest import Asker
from tests.factories import a_movement, a_row

UNITS = integers(-50, 200)
RESERVE = none() | integers(0, 30)


@dataclass(frozen=True)
class Part:
    total: int
    reserve: int | None
    group: int | None
    managed: bool
    count: int


@dataclass(frozen=True)
class Case:
    reserve: int | None
    group: int | None
    parts: list[Part]


PARTS = builds(Part, UNITS, RESERVE, RESERVE, booleans(), integers(1, 9))
CASES = builds(Case, RESERVE, RESERVE, lists(PARTS, max_size=4))


async def test_sellable_of_sets_and_parts(asker: Asker, db: Database) -> None:
    made: list[Case] = []

    @settings(max_examples=120, derandomize=True, database=None, phases=[Phase.generate])
    @given(CASES)
    def collect(case: Case) -> None:
        made.append(case)

    collect()
    expected: dict[str, int | None] = {}
    async with db.transaction(asker.account) as tx:
        for nth, case in enumerate(made):
            expected |= await write(tx, f"S{nth:03}", case)

    assert await answered(asker) == expected
    assert None in expected.values()
    assert any((value or 0) < 0 for value in expected.values())


async def write(tx: Tx, code: str, case: Case) -> dict[str, int | None]:
    """The rows of a case, and what the model says of them."""
    own = await product(tx, code, case.reserve, case.group, kind="SET")
    expected: dict[str, int | None] = {}
    parts, stock = [], {}
    for nth, part in enumerate(case.parts):
        key = await product(tx, f"{code}-{nth}", part.reserve, part.group, managed=part.managed)
        if part.total:
            await a_movement(tx, key, delta=part.total)
        await a_row(tx, "set_parts", set_id=own, part_id=key, count=part.count)
        reserve = effective_reserve(part.reserve, part.group)
        expected[f"{code}-{nth}"] = sellable(part.total, reserve)
        parts.append(SetPart(key, part.count))
        stock[key] = PartStock(part.total, reserve, part.managed)
    expected[code] = sellable_sets(parts, stock, effective_reserve(case.reserve, case.group))
    return expected


async def product(
    tx: Tx, code: str, reserve: int | None, group: int | None, **columns: object
) -> UUID:
    group_id = None
    if group is not None:
        group_id = await a_row(tx, "product_groups", name=str(uuid4()), reserve=group)
    values = {"code": code, "reserve": reserve, "group_id": group_id, **columns}
    statement = insert(tables.products).values(account_id=tx.account_id, **values)
    made: UUID = await tx.connection.scalar(statement.returning(tables.products.c.id))
    return made


async def answered(asker: Asker) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    info: dict[str, object] = {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        data = await asker.ask(
            """query ($after: String) { products(after: $after) {
              edges { node { code sellable } } pageInfo { hasNextPage endCursor } } }""",
            after=info["endCursor"],
        )
        found |= {
            edge["node"]["code"]: edge["node"]["sellable"] for edge in data["products"]["edges"]
        }
        info = data["products"]["pageInfo"]
    return found


@pytest.mark.parametrize(("limits", "codes"), [({"gte": 4}, ["A"]), ({"lte": 3, "gte": 0}, ["B"])])
async def test_products_are_found_by_it(
    asker: Asker, db: Database, limits: dict[str, int], codes: list[str]
) -> None:
    async with db.transaction(asker.account) as tx:
        for code, reserve in (("A", 1), ("B", 2)):
            await a_movement(tx, await product(tx, code, reserve, None), delta=5)

    data = await asker.ask(
        "query ($of: IntRange) { products(filter: {sellable: $of}) { edges { node { code } } } }",
        of=limits,
    )

    assert [edge["node"]["code"] for edge in data["products"]["edges"]] == codes
