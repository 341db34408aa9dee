"""別品番紐づけ: which product's code a shop's own code stands for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class NewMapping:
    mall_code: str
    product_code: str
    folded: str


@dataclass(frozen=True, slots=True)
class Mapping:
    id: UUID
    mall_code: str
    product_code: str


SAVE = text(
    """
    INSERT INTO code_mappings AS m (account_id, shop_id, mall_code, product_code, folded)
    SELECT :account, :shop, r.mall_code, r.product_code, r.folded
    FROM unnest(cast(:malls AS text[]), cast(:products AS text[]), cast(:folded AS text[]))
        AS r (mall_code, product_code, folded)
    ORDER BY r.mall_code
    ON CONFLICT (account_id, shop_id, mall_code)
        DO UPDATE SET product_code = excluded.product_code, folded = excluded.folded
    RETURNING m.id, m.mall_code, m.product_code
    """
)

DELETE = text(
    """
    DELETE FROM code_mappings WHERE account_id = :account AND shop_id = :shop AND id = ANY (:ids)
    RETURNING id, mall_code, product_code
    """
)

ERASE = text("DELETE FROM code_mappings WHERE account_id = :account AND shop_id = :shop")

OF_CODES = text(
    """
    SELECT mall_code, product_code FROM code_mappings
    WHERE account_id = :account AND shop_id = :shop AND mall_code = ANY (:codes)
    """
)

WAITING = text(
    """
    SELECT l.id, l.match_code FROM listings l
    JOIN links k ON k.account_id = :account AND k.listing_id = l.id AND k.state = 'UNLINKED'
    WHERE l.account_id = :account AND l.shop_id = :shop AND l.match_code = ANY (:codes) AND l.deleted_at IS NULL
    """
)


async def save(tx: Tx, shop_id: UUID, mappings: Sequence[NewMapping]) -> list[Mapping]:
    """Makes each or changes the one of its code; as they are now."""
    if not mappings:
        return []
    rows = await tx.execute(
        SAVE,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "malls": [each.mall_code for each in mappings],
            "products": [each.product_code for each in mappings],
            "folded": [each.folded for each in mappings],
        },
    )
    return [Mapping(**row._mapping) for row in rows]


async def delete(tx: Tx, shop_id: UUID, ids: Sequence[UUID]) -> list[Mapping]:
    """Those of these that the shop had."""
    if not ids:
        return []
    rows = await tx.execute(DELETE, {"account": tx.account_id, "shop": shop_id, "ids": list(ids)})
    return [Mapping(**row._mapping) for row in rows]


async def erase(tx: Tx, shop_id: UUID) -> None:
    """The whole table of the shop."""
    await tx.execute(ERASE, {"account": tx.account_id, "shop": shop_id})


async def of_codes(tx: Tx, shop_id: UUID, codes: Collection[str]) -> dict[str, str]:
    """By the shop's own code, the product's code it stands for."""
    if not codes:
        return {}
    rows = await tx.execute(
        OF_CODES, {"account": tx.account_id, "shop": shop_id, "codes": list(codes)}
    )
    return {row.mall_code: row.product_code for row in rows}


async def waiting(tx: Tx, shop_id: UUID, codes: Collection[str]) -> dict[UUID, str]:
    """By listing of the shop that is unlinked, but not by hand, its code; of these codes only."""
    if not codes:
        return {}
    rows = await tx.execute(
        WAITING, {"account": tx.account_id, "shop": shop_id, "codes": list(codes)}
    )
    return {row.id: row.match_code for row in rows}
