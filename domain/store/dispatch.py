"""Which shops have work, across accounts: the only thing that is read without naming one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Database

DUE = text("SELECT account_id, shop_id, work FROM renkei_due(:at, :at_most)")
OVERDUE = text("SELECT account_id, shop_id FROM renkei_overdue(:waiting_before, :at_most)")
PARTITIONS = text("SELECT renkei_make_partitions(:months)")
ASTRAY = text("SELECT renkei_unpartitioned_rows()")
FORGET = text("SELECT renkei_forget_events(:before, :at_most)")


@dataclass(frozen=True, slots=True)
class Due:
    """`work` names the job: ORDERS, REFLECT, READ_BACK or CHECK."""

    account_id: UUID
    shop_id: UUID
    work: str


async def due(db: Database, *, at: datetime, at_most: int) -> list[Due]:
    """Shops with work that may begin now, in no order, so that no account comes first for ever."""
    async with db.connection() as connection:
        rows = await connection.execute(DUE, {"at": at, "at_most": at_most})
        return [Due(**row._mapping) for row in rows]


async def overdue(
    db: Database, *, waiting_before: datetime, at_most: int
) -> list[tuple[UUID, UUID]]:
    """(account, shop) with pushes that have waited since before then and are not shown as a difference yet."""
    async with db.connection() as connection:
        rows = await connection.execute(
            OVERDUE, {"waiting_before": waiting_before, "at_most": at_most}
        )
        return [(row.account_id, row.shop_id) for row in rows]


async def make_partitions(db: Database, *, months_ahead: int) -> int:
    """How many months of logs were made ahead."""
    async with db.connection() as connection:
        made: int = await connection.scalar(PARTITIONS, {"months": months_ahead})
        return made


async def unpartitioned_rows(db: Database) -> int:
    """Log rows that fell outside every month: above 0 is an alarm."""
    async with db.connection() as connection:
        astray: int = await connection.scalar(ASTRAY)
        return astray


async def forget_events(db: Database, *, before: datetime, at_most: int) -> int:
    """How many events older than that are gone."""
    async with db.connection() as connection:
        gone: int = await connection.scalar(FORGET, {"before": before, "at_most": at_most})
        return gone
