"""一括同期 Full syncs by the clock, and which of them are due across accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.schedules import Weekday
from domain.store.database import Database, Tx


@dataclass(frozen=True, slots=True)
class Schedule:
    """`at`: HH:MM in the account's time zone. `next_run_at`: None while it is switched off."""

    id: UUID
    shop_id: UUID
    at: str
    weekdays: tuple[Weekday, ...]
    enabled: bool
    next_run_at: datetime | None


COLUMNS = "id, shop_id, at, weekdays, enabled, next_run_at"

OF_SHOP = text(
    f"SELECT {COLUMNS} FROM full_sync_schedules WHERE account_id = :account AND shop_id = :shop ORDER BY id"  # noqa: S608
)

LOCKED = text(
    f"SELECT {COLUMNS} FROM full_sync_schedules WHERE account_id = :account AND id = :id FOR NO KEY UPDATE"  # noqa: S608
)

SHOP = text("SELECT shop_id FROM full_sync_schedules WHERE account_id = :account AND id = :id")

ENABLED = text(
    f"""
    SELECT {COLUMNS} FROM full_sync_schedules WHERE account_id = :account AND enabled ORDER BY id FOR NO KEY UPDATE
    """  # noqa: S608
)

INSERT = text(
    """
    INSERT INTO full_sync_schedules (account_id, shop_id, at, weekdays, enabled, next_run_at)
    VALUES (:account, :shop, :at, :weekdays, :enabled, :next_run_at) RETURNING id
    """
)

SAVE = text(
    """
    UPDATE full_sync_schedules AS s SET at = n.at, weekdays = string_to_array(n.weekdays, ','), enabled = n.enabled,
        next_run_at = n.next_run_at
    FROM unnest(cast(:ids AS uuid[]), cast(:at AS text[]), cast(:weekdays AS text[]), cast(:enabled AS boolean[]),
        cast(:next_run_at AS timestamptz[])) AS n (id, at, weekdays, enabled, next_run_at)
    WHERE s.account_id = :account AND s.id = n.id
    """
)

DELETE = text(
    f"DELETE FROM full_sync_schedules WHERE account_id = :account AND id = :id RETURNING {COLUMNS}"  # noqa: S608
)

ERASE = text("DELETE FROM full_sync_schedules WHERE account_id = :account AND shop_id = :shop")

TIME_ZONE = text("SELECT time_zone FROM accounts WHERE id = :account")

DUE = text("SELECT account_id, schedule_id FROM renkei_schedules_due(:at, :at_most)")


async def of_shop(tx: Tx, shop_id: UUID) -> list[Schedule]:
    rows = await tx.execute(OF_SHOP, {"account": tx.account_id, "shop": shop_id})
    return [_schedule(row) for row in rows]


async def shop_of(tx: Tx, schedule_id: UUID) -> UUID | None:
    """Whose it is: to be locked before the schedule."""
    shop_id: UUID | None = await tx.scalar(SHOP, {"account": tx.account_id, "id": schedule_id})
    return shop_id


async def lock(tx: Tx, schedule_id: UUID) -> Schedule | None:
    row = (await tx.execute(LOCKED, {"account": tx.account_id, "id": schedule_id})).one_or_none()
    return None if row is None else _schedule(row)


async def lock_enabled(tx: Tx) -> list[Schedule]:
    """All of the account that run."""
    return [_schedule(row) for row in await tx.execute(ENABLED, {"account": tx.account_id})]


async def insert(
    tx: Tx,
    shop_id: UUID,
    at: str,
    weekdays: Sequence[Weekday],
    *,
    enabled: bool,
    next_run_at: datetime | None,
) -> UUID:
    made: UUID = await tx.scalar(
        INSERT,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "at": at,
            "weekdays": [day.value for day in weekdays],
            "enabled": enabled,
            "next_run_at": next_run_at,
        },
    )
    return made


async def save(tx: Tx, schedules: Sequence[Schedule]) -> None:
    """Everything of them but their shop."""
    await tx.execute(
        SAVE,
        {
            "account": tx.account_id,
            "ids": [each.id for each in schedules],
            "at": [each.at for each in schedules],
            "weekdays": [",".join(each.weekdays) for each in schedules],
            "enabled": [each.enabled for each in schedules],
            "next_run_at": [each.next_run_at for each in schedules],
        },
    )


async def delete(tx: Tx, schedule_id: UUID) -> Schedule | None:
    """What it was; None where there is none."""
    row = (await tx.execute(DELETE, {"account": tx.account_id, "id": schedule_id})).one_or_none()
    return None if row is None else _schedule(row)


async def erase(tx: Tx, shop_id: UUID) -> None:
    """Every schedule of the shop."""
    await tx.execute(ERASE, {"account": tx.account_id, "shop": shop_id})


async def time_zone(tx: Tx) -> str:
    """Of the account."""
    name: str = await tx.scalar(TIME_ZONE, {"account": tx.account_id})
    return name


async def due(db: Database, *, at: datetime, at_most: int) -> list[tuple[UUID, UUID]]:
    """(account, schedule) whose time has come, the longest due first."""
    async with db.connection() as connection:
        rows = await connection.execute(DUE, {"at": at, "at_most": at_most})
        return [(row.account_id, row.schedule_id) for row in rows]


def _schedule(row: Any) -> Schedule:
    days = tuple(Weekday(day) for day in row.weekdays)
    return Schedule(row.id, row.shop_id, row.at, days, row.enabled, row.next_run_at)
