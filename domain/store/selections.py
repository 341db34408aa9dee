"""The products or listings that a filter finds, as the lists of the same name find them."""

from collections.abc import Sequence
from uuid import UUID

from domain.store.database import Tx
from domain.store.reads import LISTINGS, MODELS, PRODUCTS, Arguments, Paged, found


async def products(tx: Tx, filter: Arguments, *, but: Sequence[UUID], at_most: int) -> list[UUID]:
    """The first `at_most` of them by id, without those of `but`."""
    return await _found(tx, PRODUCTS, filter, but, at_most)


async def listings(tx: Tx, filter: Arguments, *, but: Sequence[UUID], at_most: int) -> list[UUID]:
    return await _found(tx, LISTINGS, filter, but, at_most)


async def _found(
    tx: Tx, part: Paged, filter: Arguments, but: Sequence[UUID], at_most: int
) -> list[UUID]:
    arguments = {"filter": filter, "but": list(but), "at_most": at_most}
    statement = found(MODELS, part, arguments)
    values = statement.bind({"account": tx.account_id}, [arguments])
    return list(await tx.planned(statement.sql, values))
