"""Totals and sellable numbers of some products, as they are now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx
from domain.store.events import Facts
from domain.store.reads.products import SELLABLE, TOTAL


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Which products: of these codes, linked to one of these listings, and to one at one of these shops. None: any."""

    codes: Collection[str] | None = None
    listings: Collection[UUID] | None = None
    shops: Collection[UUID] | None = None


def _of_q(sql: str) -> str:
    return sql.replace("{t}", "q").replace("{account}", ":account")


NOW = text(
    f"""
    SELECT q.id, {_of_q(TOTAL)} AS total, {_of_q(SELLABLE)} AS sellable FROM products q
    LEFT JOIN product_groups q_group ON q_group.account_id = :account AND q_group.id = q.group_id
    WHERE q.account_id = :account AND q.id = ANY (:ids) AND q.deleted_at IS NULL
        AND (cast(:codes AS text[]) IS NULL OR q.code = ANY (:codes))
        AND (cast(:listings AS uuid[]) IS NULL OR EXISTS (SELECT FROM links k
            WHERE k.account_id = :account AND k.product_id = q.id AND k.listing_id = ANY (:listings)))
        AND (cast(:shops AS uuid[]) IS NULL OR EXISTS (SELECT FROM links k
            JOIN listings l ON l.account_id = :account AND l.id = k.listing_id AND l.deleted_at IS NULL
            WHERE k.account_id = :account AND k.product_id = q.id AND l.shop_id = ANY (:shops)))
    """  # noqa: S608
)


async def of(tx: Tx, ids: Collection[UUID], filter_: StockFilter) -> Mapping[UUID, Facts]:
    """`total` and `sellable` of those that are there and asked for."""
    values = {
        "account": tx.account_id,
        "ids": list(ids),
        "codes": _listed(filter_.codes),
        "listings": _listed(filter_.listings),
        "shops": _listed(filter_.shops),
    }
    rows = await tx.execute(NOW, values)
    return {row.id: {"total": row.total, "sellable": row.sellable} for row in rows}


def _listed(values: Collection[object] | None) -> list[object] | None:
    return None if values is None else list(values)
