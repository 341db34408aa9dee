"""Rows for stories: the least that is valid, the rest by keyword."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from domain.model.links import fold
from domain.store import tables
from domain.store.database import Database, Tx


async def an_account(db: Database, **columns: Any) -> UUID:
    account_id = uuid4()
    async with db.transaction(account_id) as tx:
        values = {"code": f"shop-{account_id.hex[:12]}", "name": "テスト商店", **columns}
        await tx.connection.execute(insert(tables.accounts).values(id=account_id, **values))
        await tx.connection.execute(insert(tables.event_counters).values(account_id=account_id))
    return account_id


async def a_row(tx: Tx, table: str, **columns: Any) -> UUID:
    """Any row of an account's table; answers its id, or that of what it belongs to."""
    target = tables.metadata.tables[table]
    key = "id" if "id" in target.c else list(target.primary_key)[1].name
    made: UUID = await tx.connection.scalar(
        insert(target).values(account_id=tx.account_id, **columns).returning(target.c[key])
    )
    return made


async def a_user(tx: Tx, **columns: Any) -> UUID:
    values = {"email": f"{uuid4().hex[:8]}@example.com", "name": "佐藤", "role": "OWNER"}
    return await a_row(tx, "users", **{**values, **columns})


async def a_shop(tx: Tx, name: str = "楽天本店", **columns: Any) -> UUID:
    return await a_row(tx, "shops", **{"mall": "RAKUTEN", "name": name, **columns})


async def a_product(tx: Tx, code: str, *, total: int = 0, **columns: Any) -> UUID:
    name = columns.pop("name", f"商品 {code}")
    values = {"code": code, "name": name, "folded": fold(f"{code} {name}"), **columns}
    product_id = await a_row(tx, "products", **values)
    if total:
        await a_movement(tx, product_id, delta=total)
    return product_id


async def a_movement(
    tx: Tx, product_id: UUID, *, delta: int, before: int = 0, version: int = 1, **columns: Any
) -> UUID:
    """The `version`-th line of a product's ledger: its total follows."""
    return await a_row(
        tx,
        "stock_movements",
        product_id=product_id,
        stock_version=version,
        delta=delta,
        balance_before=before,
        balance_after=before + delta,
        **{"cause": "SET_BY_HAND", **columns},
    )


async def a_set(tx: Tx, code: str, parts: Mapping[UUID, int], **columns: Any) -> UUID:
    set_id = await a_product(tx, code, kind="SET", **columns)
    for part_id, count in parts.items():
        await a_row(tx, "set_parts", set_id=set_id, part_id=part_id, count=count)
    return set_id


async def a_listing(
    tx: Tx,
    shop_id: UUID,
    item_code: str,
    *,
    product_id: UUID | None = None,
    link: Mapping[str, Any] | None = None,
    sync: Mapping[str, Any] | None = None,
    **columns: Any,
) -> UUID:
    """With its link and its narrow row, whose columns `link` and `sync` are."""
    name = columns.pop("name", "")
    values = {"item_code": item_code, "match_code": item_code, "name": name, **columns}
    folded = fold(f"{item_code} {name}")
    listing_id = await a_row(tx, "listings", shop_id=shop_id, folded=folded, **values)
    linked = {"state": "LINKED", "reason": "SAME_CODE"} if product_id else {}
    await a_row(
        tx, "links", listing_id=listing_id, product_id=product_id, **{**linked, **(link or {})}
    )
    await a_row(tx, "listing_sync", listing_id=listing_id, shop_id=shop_id, **(sync or {}))
    return listing_id
