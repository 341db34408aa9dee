"""共通設定: what an account says of itself, in its one row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """`confirm_*`: a change that sends more listings to zero, or changes more of them, asks for a confirmation."""

    name: str
    time_zone: str
    base_shop_id: UUID | None
    reflect_edits: str
    level9_resume: str
    show_images: bool
    sync_new_listings: bool
    confirm_to_zero: int
    confirm_changed: int
    version: int


LOCK = text(
    """
    SELECT name, time_zone, base_shop_id, reflect_edits, level9_resume, show_images, sync_new_listings, confirm_to_zero,
        confirm_changed, version
    FROM accounts WHERE id = :account FOR NO KEY UPDATE
    """
)

SAVE = text(
    """
    UPDATE accounts SET name = :name, time_zone = :time_zone, base_shop_id = :base_shop_id,
        reflect_edits = :reflect_edits, level9_resume = :level9_resume, show_images = :show_images,
        sync_new_listings = :sync_new_listings, confirm_to_zero = :confirm_to_zero,
        confirm_changed = :confirm_changed, version = version + 1
    WHERE id = :account
    """
)

LEAVE_BASE = text(
    """
    UPDATE accounts SET base_shop_id = NULL, version = version + 1 WHERE id = :account AND base_shop_id = :shop
    """
)


async def lock(tx: Tx) -> AccountSettings:
    """Held until commit. Take it after shops and before products."""
    row = (await tx.execute(LOCK, {"account": tx.account_id})).one()
    return AccountSettings(**row._mapping)


async def save(tx: Tx, settings: AccountSettings) -> None:
    """Writes what was locked, as one more version."""
    await tx.execute(SAVE, {"account": tx.account_id} | _columns(settings))


async def leave_base(tx: Tx, shop_id: UUID) -> None:
    """Where the shop was the base, there is none now."""
    await tx.execute(LEAVE_BASE, {"account": tx.account_id, "shop": shop_id})


def _columns(settings: AccountSettings) -> dict[str, Any]:
    names = AccountSettings.__dataclass_fields__
    return {name: getattr(settings, name) for name in names if name != "version"}
