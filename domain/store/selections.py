"""The products or listings that a filter finds, as the lists of the same name find them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import TextClause, text

from domain.store.database import Tx
from domain.store.reads import LISTINGS, MODELS, PRODUCTS, Arguments, Paged, found

PRODUCTS_THERE = text(
    "SELECT id FROM products WHERE account_id = :account AND id = ANY (:ids) AND deleted_at IS NULL"
)
LISTINGS_THERE = text(
    "SELECT id FROM listings WHERE account_id = :account AND id = ANY (:ids) AND deleted_at IS NULL"
)


async def products(tx: Tx, filter: Arguments, *, but: Sequence[UUID], at_most: int) -> list[UUID]:
    """The first `at_most` of them by id, without those of `but`."""
    return await _found(tx, PRODUCTS, filter, but, at_most)


async def listings(tx: Tx, filter: Arguments, *, but: Sequence[UUID], at_most: int) -> list[UUID]:
    return await _found(tx, LISTINGS, filter, but, at_most)


async def products_there(tx: Tx, product_ids: Sequence[UUID]) -> set[UUID]:
    """Those of them that there are; they may change meanwhile."""
    return await _there(tx, PRODUCTS_THERE, product_ids)


async def listings_there(tx: Tx, listing_ids: Sequence[UUID]) -> set[UUID]:
    return await _there(tx, LISTINGS_THERE, listing_ids)


async def _there(tx: Tx, statement: TextClause, ids: Sequence[UUID]) -> set[UUID]:
    if not ids:
        return set()
    rows = await tx.execute(statement, {"account": tx.account_id, "ids": list(ids)})
    return set(rows.scalars())


async def _found(
    tx: Tx, part: Paged, filter: Arguments, but: Sequence[UUID], at_most: int
) -> list[UUID]:
    arguments = {"filter": filter, "but": list(but), "at_most": at_most}
    statement = found(MODELS, part, arguments)
    values = statement.bind({"account": tx.account_id}, [arguments])
    return list(await tx.planned(statement.sql, values))
