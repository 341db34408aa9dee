"""Accounts, and the switches of the whole of each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.store.database import Database, Tx

NEW_ID = text("SELECT uuidv7()")

ID_OF = text("SELECT renkei_account_of(:code)")

INSERT = text(
    """
    INSERT INTO accounts (id, code, name, product_limit) VALUES (:account, :code, :name, :product_limit)
    ON CONFLICT (code) DO NOTHING RETURNING id
    """
)

OPEN_COUNTER = text("INSERT INTO event_counters (account_id) VALUES (:account)")

SWITCH = text(
    """
    UPDATE accounts SET sync_running = :running WHERE id = :account AND sync_running <> :running RETURNING id
    """
)

REFLECT_EDITS = text("UPDATE accounts SET reflect_edits = :word WHERE id = :account")


RESYNC = text("UPDATE accounts SET resync_from = least(resync_from, :since) WHERE id = :account")

RESYNCED_FROM = text("SELECT resync_from FROM accounts WHERE id = :account")

RESYNCED = text("UPDATE accounts SET resync_from = NULL WHERE id = :account")


async def new_id(db: Database) -> UUID:
    """The id of an account to be: a transaction must name its account before the row is there."""
    async with db.connection() as connection:
        account_id: UUID = await connection.scalar(NEW_ID)
    return account_id


async def id_of(connection: AsyncConnection, code: str) -> UUID | None:
    account_id: UUID | None = await connection.scalar(ID_OF, {"code": code})
    return account_id


async def insert(tx: Tx, code: str, name: str, product_limit: int | None) -> bool:
    """The transaction's own account, with the counter of its events. False where the code is another's."""
    values = {
        "account": tx.account_id,
        "code": code,
        "name": name,
        "product_limit": product_limit,
    }
    if await tx.scalar(INSERT, values) is None:
        return False
    await tx.execute(OPEN_COUNTER, {"account": tx.account_id})
    return True


async def switch(tx: Tx, *, running: bool) -> bool:
    """The master switch. False where it stood so already."""
    return await tx.scalar(SWITCH, {"account": tx.account_id, "running": running}) is not None


async def reflect_edits(tx: Tx, *, at_once: bool) -> None:
    """Whether what people edit goes out by itself, or when they ask for it."""
    word = "AT_ONCE" if at_once else "ON_REQUEST"
    await tx.execute(REFLECT_EDITS, {"account": tx.account_id, "word": word})


async def resync(tx: Tx, since: datetime) -> None:
    """What came after `since` may be lost: nothing is sent or fetched until that is dealt with."""
    await tx.execute(RESYNC, {"account": tx.account_id, "since": since})


async def resync_from(tx: Tx) -> datetime | None:
    moment: datetime | None = await tx.scalar(RESYNCED_FROM, {"account": tx.account_id})
    return moment


async def resynced(tx: Tx) -> None:
    """Work goes on."""
    await tx.execute(RESYNCED, {"account": tx.account_id})
