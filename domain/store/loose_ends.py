"""What may be waiting for a number to stand, all of it found with one statement: mostly nothing is."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx
from domain.store.logs import BY_NOW, EDITED


@dataclass(frozen=True, slots=True)
class LooseEnds:
    """Is there a job that waits for one of the listings, an error that names one, an edit of one (or of its product) that
    was not sent yet; an open error of their shop?"""

    jobs: bool
    errors: bool
    edits: bool
    of_shop: bool


FOUND = text(
    f"""
    SELECT
        EXISTS (SELECT FROM job_listings
            WHERE account_id = :account AND listing_id = ANY (:listings) AND outcome IS NULL) AS jobs,
        EXISTS (SELECT FROM sync_error_listings WHERE account_id = :account AND listing_id = ANY (:listings)) AS errors,
        EXISTS (SELECT FROM operation_logs
            WHERE account_id = :account AND {BY_NOW} AND reflected_at IS NULL AND target_id = ANY ({EDITED})) AS edits,
        EXISTS (SELECT FROM sync_errors WHERE account_id = :account AND shop_id = :shop AND resolved_at IS NULL) AS of_shop
    """  # noqa: S608  constants
)


async def found(tx: Tx, shop_id: UUID, listing_ids: Collection[UUID]) -> LooseEnds:
    """Of these listings of the shop."""
    parameters = {"account": tx.account_id, "shop": shop_id, "listings": list(listing_ids)}
    return LooseEnds(**(await tx.execute(FOUND, parameters)).one()._mapping)
