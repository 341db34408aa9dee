"""A shop together with its lease, in one statement each: whoever works on a shop needs both (leases.py)."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from domain.store import leases
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.shops import COLUMNS, Shop, shop_of


@dataclass(frozen=True, slots=True)
class Taken:
    """`clean`: whoever held it before gave it back with nothing left open."""

    shop: Shop
    epoch: int
    clean: bool


SHOP = "FROM shops s JOIN accounts a ON a.id = s.account_id"
THIS = "s.account_id = :account AND s.id = :shop"

TAKE = text(
    f"""
    WITH taken AS ({leases.TAKE.text})
    SELECT {COLUMNS}, t.epoch, t.clean {SHOP} CROSS JOIN taken t WHERE {THIS}
    """
)

RENEW = text(
    f"WITH renewed AS ({leases.RENEW.text}) SELECT {COLUMNS} {SHOP} CROSS JOIN renewed WHERE {THIS}"
)

LOCK = text(
    f"""
    SELECT {COLUMNS} {SHOP}
    JOIN shop_leases l ON l.account_id = s.account_id AND l.shop_id = s.id AND l.kind = :kind AND l.epoch = :epoch
    WHERE {THIS} AND s.disconnected_at IS NULL FOR NO KEY UPDATE OF s, l
    """
)


async def take(
    tx: Tx, shop_id: UUID, kind: LeaseKind, holder: str, length: timedelta
) -> Taken | None:
    """See leases.take."""
    values = _values(tx, shop_id, kind) | {"holder": holder, "length": length}
    row = (await tx.execute(TAKE, values)).one_or_none()
    return None if row is None else Taken(shop_of(row), row.epoch, row.clean)


async def renew(
    tx: Tx, shop_id: UUID, kind: LeaseKind, holder: str, epoch: int, length: timedelta
) -> Shop | None:
    """See leases.renew: None when it was lost meanwhile."""
    values = {"holder": holder, "epoch": epoch, "length": length}
    row = (await tx.execute(RENEW, _values(tx, shop_id, kind) | values)).one_or_none()
    return None if row is None else shop_of(row)


async def lock(tx: Tx, shop_id: UUID, kind: LeaseKind, epoch: int) -> Shop | None:
    """Both rows, held until commit; None where the shop was disconnected, or its lease taken under a newer epoch. Whoever
    would take it meanwhile waits for the transaction's end."""
    values = _values(tx, shop_id, kind) | {"epoch": epoch}
    row = (await tx.execute(LOCK, values)).one_or_none()
    return None if row is None else shop_of(row)


def _values(tx: Tx, shop_id: UUID, kind: LeaseKind) -> dict[str, object]:
    return {"account": tx.account_id, "shop": shop_id, "kind": kind.value}
