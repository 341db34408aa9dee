"""Every list stays stable while rows are written: whoever walks its pages meets each row that was there, and none twice."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type
from sqlalchemy import text

from api.schema import schema
from domain.model.actors import SYSTEM
from domain.store.database import Database, Tx
from tests.api.conftest import Asker
from tests.api.town import a_town
from tests.factories import a_listing, a_product, a_row, a_set, a_user

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WRITES = 12
"""New rows come between the first so many pages; then the walk must come to its end."""

QUERY = schema()._schema.query_type
assert QUERY is not None
LISTS = {
    name: field
    for name, field in QUERY.fields.items()
    if get_named_type(field.type).name.endswith("Connection")
}


def orders_of(name: str) -> list[dict[str, str] | None]:
    """Every way in which a list may be sorted; None is its own."""
    argument = LISTS[name].args.get("orderBy")
    if argument is None:
        return [None]
    kind = get_named_type(argument.type)
    assert isinstance(kind, GraphQLInputObjectType)
    by = get_named_type(kind.fields["field"].type)
    assert isinstance(by, GraphQLEnumType)
    return [
        None,
        *({"field": each, "direction": way} for each in by.values for way in ("ASC", "DESC")),
    ]


WALKS = [(name, by) for name in LISTS for by in orders_of(name)]


def page_of(name: str, by: Mapping[str, str] | None) -> str:
    declared = f", $by: {get_named_type(LISTS[name].args['orderBy'].type).name}" if by else ""
    sorted_by = ", orderBy: $by" if by else ""
    return (
        f"query Page($first: Int!, $after: String{declared}) {{ {name}(first: $first, after: $after{sorted_by}) "
        "{ edges { node { id } } pageInfo { hasNextPage endCursor } } }"
    )


async def write_some(tx: Tx, nth: int) -> None:
    """One row more of every kind; half of them sort before what was there, half after."""
    code = f"{'0!' if nth % 2 else 'zz'}-{nth}"
    shop: UUID = await tx.scalar(text("SELECT id FROM shops WHERE in_use ORDER BY id LIMIT 1"))
    moment = NOW + timedelta(days=nth if nth % 2 else -nth)
    product = await a_product(tx, code, name=code, total=nth or 1, updated_at=moment)
    await a_set(tx, f"{code}-set", {product: 1})
    differing = {"difference": "NOT_APPLIED", "difference_since": moment, "expected": 1, "base": 2}
    waiting = {"wanted": 1, "waiting_since": moment, "push_state": None}
    listing = await a_listing(tx, shop, code, product_id=product, sync=differing | waiting)
    order = await a_row(
        tx, "orders", shop_id=shop, number=code, placed_at=moment, status="HOLDS", observed_at=moment,
        first_observed_at=moment,
    )  # fmt: skip
    await a_row(
        tx, "order_lines", order_id=order, position=0, item_code=code, quantity=1, state="APPLIED"
    )
    await a_row(tx, "sales_logs", shop_id=shop, order_id=order, item_code=code, units=1, at=moment)
    await a_row(tx, "operation_logs", actor=SYSTEM.as_json(), action="SET_STOCK", at=moment)
    await a_row(
        tx, "mall_update_logs", shop_id=shop, listing_id=listing, push_id=listing, after=1, state="APPLIED",
    )  # fmt: skip
    await a_row(tx, "sync_errors", level=8, kind="UNREACHABLE", group_key=code)
    await a_row(
        tx,
        "sync_runs",
        shop_id=shop,
        kind="REFLECT",
        outcome="OK",
        started_at=moment,
        ended_at=moment,
    )
    await a_row(
        tx,
        "oversell_incidents",
        product_id=product,
        order_id=order,
        units=1,
        opened_at=moment,
        closed_at=moment,
    )
    await a_row(tx, "jobs", kind="REFLECT")
    await a_row(tx, "product_groups", name=code)
    await a_row(tx, "code_mappings", shop_id=shop, mall_code=code, product_code=code)
    await a_user(tx, name=code)
    await a_row(tx, "api_tokens", name=code, token_hash=listing.bytes, role="VIEWER")


@pytest.fixture
async def town(asker: Asker, db: Database) -> Asker:
    asker.account = await a_town(db)
    async with db.transaction(asker.account) as tx:
        await write_some(tx, 100)
        await write_some(tx, 101)
    return asker


@pytest.mark.parametrize(("name", "by"), WALKS, ids=str)
async def test_a_walk_meets_every_row_once_while_rows_are_written(
    town: Asker, db: Database, name: str, by: Mapping[str, str] | None
) -> None:
    page, order = page_of(name, by), {"by": by} if by else {}

    async def read(first: int, after: str | None) -> tuple[list[str], dict[str, Any]]:
        found = (await town.ask(page, first=first, after=after, **order))[name]
        return [edge["node"]["id"] for edge in found["edges"]], found["pageInfo"]

    there, _ = await read(100, None)
    met, info = await read(1, None)
    writes = 0
    while info["hasNextPage"]:
        if writes < WRITES:
            async with db.transaction(town.account) as tx:
                await write_some(tx, writes)
            writes += 1
        shown, info = await read(1, info["endCursor"])
        met += shown

    assert len(there) > 1
    assert writes > 0
    assert len(met) == len(set(met))
    assert set(there) <= set(met)
