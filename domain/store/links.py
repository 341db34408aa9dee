"""Which listing belongs to which product. A row a listing from its first day, kept when it is unlinked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.links import LinkReason, LinkState
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class KnownLink:
    listing_id: UUID
    shop_id: UUID
    shop_name: str
    product_id: UUID | None
    state: LinkState
    copy_page: bool


@dataclass(frozen=True, slots=True)
class NewLink:
    """What a listing's link becomes. `product_id` None: none."""

    listing_id: UUID
    product_id: UUID | None
    state: LinkState
    reason: LinkReason | None = None
    copy_page: bool = False


KNOWN = """
    SELECT k.listing_id, l.shop_id, s.name AS shop_name, k.product_id, k.state, k.copy_page
    FROM unnest(cast(:ids AS uuid[])) AS r (id)
    CROSS JOIN LATERAL (SELECT * FROM links k WHERE k.account_id = :account AND {key} = r.id OFFSET 0) AS k
    CROSS JOIN LATERAL (SELECT * FROM listings l WHERE l.account_id = :account AND l.id = k.listing_id
        AND l.deleted_at IS NULL OFFSET 0) AS l
    JOIN shops s ON s.account_id = :account AND s.id = l.shop_id
    ORDER BY k.listing_id
"""
"""Looked up one by one (OFFSET 0), as in sync.py: in the first import of an account the planner knows nothing yet."""
FIND = text(KNOWN.format(key="k.listing_id"))
OF_PRODUCTS = text(KNOWN.format(key="k.product_id"))

OPEN = text(
    """
    INSERT INTO links (account_id, listing_id) SELECT :account, unnest(cast(:listings AS uuid[]))
    ON CONFLICT (account_id, listing_id) DO NOTHING
    """
)

SAVE = text(
    """
    UPDATE links AS k SET product_id = r.product_id, state = r.state, reason = r.reason, copy_page = r.copy_page,
        at = :at, actor = cast(:actor AS jsonb)
    FROM unnest(cast(:listings AS uuid[]), cast(:products AS uuid[]), cast(:states AS text[]),
        cast(:reasons AS text[]), cast(:copies AS bool[])) AS r (listing_id, product_id, state, reason, copy_page)
    WHERE k.account_id = :account AND k.listing_id = r.listing_id
    """
)

SET_STATES = text(
    """
    UPDATE links AS k SET state = r.state
    FROM unnest(cast(:listings AS uuid[]), cast(:states AS text[])) AS r (listing_id, state)
    WHERE k.account_id = :account AND k.listing_id = r.listing_id
    """
)


async def find(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, KnownLink]:
    """By listing. Deleted and foreign listings are left out."""
    rows = await tx.execute(FIND, {"account": tx.account_id, "ids": list(listing_ids)})
    return {row.listing_id: _known(row) for row in rows}


async def of_products(tx: Tx, product_ids: Collection[UUID]) -> list[KnownLink]:
    rows = await tx.execute(OF_PRODUCTS, {"account": tx.account_id, "ids": list(product_ids)})
    return [_known(row) for row in rows]


async def open_rows(tx: Tx, listing_ids: Collection[UUID]) -> None:
    """Unlinked, for listings that have no row yet."""
    await tx.execute(OPEN, {"account": tx.account_id, "listings": list(listing_ids)})


async def save(tx: Tx, links: Sequence[NewLink], actor: Mapping[str, Any], *, at: datetime) -> None:
    if not links:
        return
    await tx.execute(
        SAVE,
        {
            "account": tx.account_id,
            "actor": orjson.dumps(actor).decode(),
            "at": at,
            "listings": [link.listing_id for link in links],
            "products": [link.product_id for link in links],
            "states": [link.state.value for link in links],
            "reasons": [link.reason and link.reason.value for link in links],
            "copies": [link.copy_page for link in links],
        },
    )


async def set_states(tx: Tx, states: Mapping[UUID, LinkState]) -> None:
    """A conflict came or went; what is linked to what, by whom and since when, stays."""
    if states:
        await tx.execute(
            SET_STATES,
            {
                "account": tx.account_id,
                "listings": list(states),
                "states": [state.value for state in states.values()],
            },
        )


def _known(row: Any) -> KnownLink:
    return KnownLink(**dict(row._mapping) | {"state": LinkState(row.state)})
