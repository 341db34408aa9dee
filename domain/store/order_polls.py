"""A window of orders that was walked to its end: how far they are known now, and what is to be done besides."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.store import doubts
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Left:
    """Is there an open error of the shop; is there a listing in doubt that can be decided on?"""

    errors: bool
    doubts: bool


WALKED = text(
    f"""
    WITH polled AS (
        UPDATE shops SET watermark = greatest(watermark, :watermark), orders_seen_at = coalesce(:seen_at, orders_seen_at)
        WHERE account_id = :account AND id = :shop)
    SELECT
        EXISTS (SELECT FROM sync_errors WHERE account_id = :account AND shop_id = :shop AND resolved_at IS NULL) AS errors,
        EXISTS ({doubts.DUE.text}) AS doubts
    """  # noqa: S608
)


async def walked(
    tx: Tx,
    shop_id: UUID,
    *,
    watermark: datetime,
    seen_at: datetime | None,
    known_until: datetime,
    cancels_known_until: datetime | None,
) -> Left:
    """Every order up to `watermark` is stored: say so in the transaction that stored the last page. `seen_at`: none that
    was listed by then is missing; None where later ones were not asked for yet. For the others see doubts.due."""
    values = {
        "account": tx.account_id,
        "shop": shop_id,
        "watermark": watermark,
        "seen_at": seen_at,
        "known": known_until,
        "cancels_known": cancels_known_until,
        "at_most": 1,
    }
    return Left(**(await tx.execute(WALKED, values)).one()._mapping)
