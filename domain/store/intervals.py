"""What waits for its shop's interval, when that becomes a shorter one."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx

SHORTEN = text(
    """
    WITH waits AS (
        SELECT listing_id FROM listing_sync
        WHERE account_id = :account AND shop_id = :shop AND wanted > done AND push_id IS NULL AND feed_id IS NULL AND failures = 0
            AND next_try_at IS NOT NULL AND push_state IS DISTINCT FROM 'UNKNOWN' AND base IS NOT NULL
        ORDER BY listing_id FOR NO KEY UPDATE)
    UPDATE listing_sync l SET next_try_at = l.next_try_at - cast(:by AS interval)
    FROM waits WHERE l.account_id = :account AND l.listing_id = waits.listing_id
    """
)


async def shorten(tx: Tx, shop_id: UUID, by: timedelta) -> None:
    """Numbers that wait for nothing else go out so much sooner. The shop must be locked."""
    await tx.execute(SHORTEN, {"account": tx.account_id, "shop": shop_id, "by": by})
    tx.ring(shop_id, "REFLECT")
