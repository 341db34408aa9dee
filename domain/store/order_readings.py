"""How orders were read last: see the model's LastRead."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.model.order_readings import LastRead
from domain.store.database import Tx

LAST = text(
    """
    SELECT number, observed_at, mall_updated_at, fingerprint FROM orders
    WHERE account_id = :account AND shop_id = :shop AND number = ANY (:numbers) AND unread_at IS NULL
        AND fingerprint IS NOT NULL
    """
)

SEEN_AGAIN = text(
    """
    UPDATE orders SET observed_at = :at
    WHERE account_id = :account AND shop_id = :shop AND number = ANY (:numbers) AND observed_at < :at
    """
)


async def last(tx: Tx, shop_id: UUID, numbers: Sequence[str]) -> dict[str, LastRead]:
    """By number; those never read, or not readable when they were last asked for, are left out."""
    if not numbers:
        return {}
    parameters = {"account": tx.account_id, "shop": shop_id, "numbers": list(numbers)}
    return {
        row.number: LastRead(row.observed_at, row.mall_updated_at, row.fingerprint)
        for row in await tx.execute(LAST, parameters)
    }


async def seen_again(tx: Tx, shop_id: UUID, numbers: Sequence[str], at: datetime) -> None:
    """At that time of the mall they were as they had been read before. The shop's turn must have been taken."""
    if numbers:
        values = {"account": tx.account_id, "shop": shop_id, "numbers": list(numbers), "at": at}
        await tx.execute(SEEN_AGAIN, values)
