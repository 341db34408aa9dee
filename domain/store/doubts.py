"""Listings whose mall was read otherwise than we knew: which of them can be decided on, and what was written last."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.model.read_back import Written
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class LastWrite:
    """The newest number that reached a listing's mall, or may have. `seen`: the mall has shown it since."""

    written: Written
    seen: bool


DUE = text(
    """
    SELECT listing_id FROM listing_sync
    WHERE account_id = :account AND shop_id = :shop AND believed_source IS NOT NULL AND NOT asked
        AND base_latest <= :known AND (base <= believed OR base_latest <= :cancels_known)
    ORDER BY base_latest LIMIT :at_most
    """
)

PRODUCTS = text(
    """
    SELECT DISTINCT product_id FROM links
    WHERE account_id = :account AND listing_id = ANY (:listings) AND product_id IS NOT NULL
    """
)

LAST_WRITES = text(
    """
    SELECT DISTINCT ON (listing_id) listing_id, id, quantity, before, state = 'APPLIED' AND reads > 0 AS seen
    FROM pushes
    WHERE account_id = :account AND listing_id = ANY (:listings) AND state IN ('APPLIED', 'UNKNOWN')
    ORDER BY listing_id, id DESC
    """
)

ASK_AGAIN = text(
    """
    UPDATE listing_sync AS l SET asked = false
    FROM (SELECT listing_id FROM listing_sync WHERE account_id = :account AND shop_id = :shop AND asked
        ORDER BY listing_id FOR UPDATE) AS a
    WHERE l.account_id = :account AND l.listing_id = a.listing_id
    """
)


async def due(
    tx: Tx,
    shop_id: UUID,
    *,
    known_until: datetime,
    cancels_known_until: datetime | None,
    at_most: int,
) -> list[UUID]:
    """Listings in doubt whose reading the shop's orders reach; where the mall shows more, its cancels too."""
    rows = await tx.execute(
        DUE,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "known": known_until,
            "cancels_known": cancels_known_until,
            "at_most": at_most,
        },
    )
    return list(rows.scalars())


async def products(tx: Tx, listing_ids: Collection[UUID]) -> list[UUID]:
    """What these listings are linked to."""
    parameters = {"account": tx.account_id, "listings": list(listing_ids)}
    return list((await tx.execute(PRODUCTS, parameters)).scalars())


async def last_writes(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, LastWrite]:
    parameters = {"account": tx.account_id, "listings": list(listing_ids)}
    return {
        row.listing_id: LastWrite(Written(row.id, row.quantity, row.before), row.seen)
        for row in await tx.execute(LAST_WRITES, parameters)
    }


async def ask_again(tx: Tx, shop_id: UUID) -> None:
    """Whatever waits for a person's decision is looked at once more, under the shop's policy as it is then."""
    await tx.execute(ASK_AGAIN, {"account": tx.account_id, "shop": shop_id})
