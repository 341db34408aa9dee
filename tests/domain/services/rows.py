"""The least that is valid, by raw rows, and what the tables hold afterwards."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.actors import Actor, ActorKind
from domain.model.stock import Cause
from domain.services.ledger import Ledger
from domain.store import stock, sync
from domain.store.database import Tx

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
OWNER = Actor(ActorKind.USER, "Hanako")


async def rows(tx: Tx, sql: str, **values: Any) -> list[dict[str, Any]]:
    found = await tx.execute(text(sql), {"account": tx.account_id} | values)
    return [dict(row._mapping) for row in found]


async def row(tx: Tx, sql: str, **values: Any) -> dict[str, Any]:
    [only] = await rows(tx, sql, **values)
    return only


async def operations(tx: Tx) -> list[str]:
    found = await rows(
        tx, "SELECT action FROM operation_logs WHERE account_id = :account ORDER BY id"
    )
    return [each["action"] for each in found]


async def a_listing(tx: Tx, shop_id: UUID, code: str, *, total: int, shows: int) -> UUID:
    """A linked listing that shows `shows`, of a product that has `total`."""
    made = await row(
        tx,
        """
        WITH product AS (
            INSERT INTO products (account_id, code) VALUES (:account, :code) RETURNING id),
        listing AS (
            INSERT INTO listings (account_id, shop_id, item_code) VALUES (:account, :shop, :code) RETURNING id)
        INSERT INTO links (account_id, listing_id, product_id, state)
        SELECT :account, listing.id, product.id, 'LINKED' FROM listing, product RETURNING listing_id, product_id
        """,
        shop=shop_id,
        code=code,
    )
    ledger = Ledger(await stock.lock(tx, [made["product_id"]]))
    ledger.move(made["product_id"], total, Cause.COUNTED, effective_at=NOW)
    await ledger.write(tx)
    await sync.open_rows(tx, [(made["listing_id"], shop_id, shows)])
    listing_id: UUID = made["listing_id"]
    return listing_id


async def waiting(tx: Tx, listing_id: UUID) -> dict[str, Any]:
    """Whether a push waits, what it will send, what we believe the mall shows, and why it is not pushed."""
    return await row(
        tx,
        """
        SELECT wanted > done AS waits, expected, base, not_pushed FROM listing_sync
        WHERE account_id = :account AND listing_id = :listing
        """,
        listing=listing_id,
    )
