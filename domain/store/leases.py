"""Whose turn it is: one pusher, one importer and one tester a shop, one process for each turn of the clock.

Timed by PostgreSQL's clock. Taking a shop's lease raises its epoch; what was begun under an older one touches nothing but
the log (DESIGN §2.6).

In the order in which rows are locked (DESIGN §2.11) a lease comes right after its shop, and before anything else: so
leased_shops.lock takes both. Taking or renewing one does not wait for the shop, and holds nothing yet that others wait for;
only who begins to ask for orders goes on to the shop's row. That meets the order the wrong way round where a holder that
lost its lease stores something just then: PostgreSQL ends one of the two, and it is run again (Database.run).
"""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Database, Tx
from domain.store.haste import HURRIES


class LeaseKind(StrEnum):
    REFLECT = "REFLECT"
    ORDERS = "ORDERS"
    CHECK = "CHECK"


TAKE = text(
    """
    INSERT INTO shop_leases AS l (account_id, shop_id, kind, holder, until)
    VALUES (:account, :shop, :kind, :holder, clock_timestamp() + :length)
    ON CONFLICT (account_id, shop_id, kind) DO UPDATE SET holder = excluded.holder, until = excluded.until,
        epoch = l.epoch + 1
    WHERE l.until < clock_timestamp() OR l.holder = excluded.holder
    RETURNING new.epoch, coalesce(old.until = '-infinity', false) AS clean
    """
)

RENEW = text(
    """
    UPDATE shop_leases SET until = clock_timestamp() + :length
    WHERE account_id = :account AND shop_id = :shop AND kind = :kind AND holder = :holder AND epoch = :epoch
        AND until >= clock_timestamp()
    RETURNING epoch
    """
)

GIVE_BACK = text(
    """
    UPDATE shop_leases SET until = CASE WHEN :clean THEN '-infinity' ELSE clock_timestamp() END
    WHERE account_id = :account AND shop_id = :shop AND kind = :kind AND holder = :holder AND epoch = :epoch
    """
)

RAISE = text(
    """
    UPDATE shop_leases SET epoch = epoch + :by, until = clock_timestamp() WHERE account_id = :account AND shop_id = ANY (:shops)
    """
)

TURN = text(
    f"""
    INSERT INTO clock_leases AS c (name, holder, until)
    SELECT t.name, :holder, clock_timestamp() + :length FROM (SELECT cast(:name AS text) AS name) AS t
    WHERE NOT EXISTS (SELECT FROM clock_leases h WHERE h.name = t.name AND h.until >= clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE c.until < clock_timestamp()
    RETURNING name, {HURRIES}
    """  # noqa: S608  constants
)
"""Looked at before it is taken: a row that cannot be had would be locked all the same, and that be written."""


async def take(
    tx: Tx, shop_id: UUID, kind: LeaseKind, holder: str, length: timedelta
) -> int | None:
    """The epoch under which the holder may work; None while another holds it. A holder works on one shop's kind once at
    a time, so what it seems to hold already it has lost track of."""
    epoch: int | None = await tx.scalar(
        TAKE, _key(tx, shop_id, kind) | {"holder": holder, "length": length}
    )
    return epoch


async def renew(
    tx: Tx, shop_id: UUID, kind: LeaseKind, holder: str, epoch: int, length: timedelta
) -> bool:
    """False when it was lost meanwhile: stop at once."""
    parameters = {"holder": holder, "epoch": epoch, "length": length}
    return await tx.scalar(RENEW, _key(tx, shop_id, kind) | parameters) is not None


async def give_back(
    tx: Tx, shop_id: UUID, kind: LeaseKind, holder: str, epoch: int, *, clean: bool = False
) -> None:
    """`clean`: nothing that was begun under it is left open, so that whoever takes it next need not look."""
    parameters = {"holder": holder, "epoch": epoch, "clean": clean}
    await tx.execute(GIVE_BACK, _key(tx, shop_id, kind) | parameters)


async def raise_all(tx: Tx, shop_ids: Collection[UUID], *, by: int) -> None:
    """Nobody holds these shops any more, whatever epoch they were given."""
    await tx.execute(RAISE, {"account": tx.account_id, "shops": list(shop_ids), "by": by})


async def turn(db: Database, name: str, holder: str, length: timedelta) -> bool:
    """May this process take the turn that `name` calls? At most one may within `length`."""
    async with db.connection() as connection:
        parameters = {"name": name, "holder": holder, "length": length}
        return await connection.scalar(TURN, parameters) is not None


def _key(tx: Tx, shop_id: UUID, kind: LeaseKind) -> dict[str, object]:
    return {"account": tx.account_id, "shop": shop_id, "kind": kind.value}
