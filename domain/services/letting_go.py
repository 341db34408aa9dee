"""Listings of a shop that was disconnected belong to nothing any more, and show nothing of ours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.links import LinkState
from domain.services import links
from domain.services.sync import Why, reconsider
from domain.store import listings, stock
from domain.store.database import Tx
from domain.store.sync import SyncRow


async def let_go(
    tx: Tx,
    actor: Actor,
    listing_ids: Sequence[UUID],
    *,
    delete_listings: bool,
    now: datetime,
) -> None:
    """No other shop's listing contradicts less by that (conflicts are a shop's own)."""
    known = list((await links.held(tx, listing_ids)).values())
    await stock.lock(tx, {link.product_id for link in known if link.product_id})
    await links.hold(tx, listing_ids)
    await links.cut(tx, actor, known, LinkState.UNLINKED, now=now)
    if delete_listings:
        await listings.delete(tx, [link.listing_id for link in known], at=now)
    await reconsider(tx, listing_ids, Why.LOOKED, now=now, change=_at_rest)


def _at_rest(row: SyncRow) -> SyncRow:
    """Nothing waits, and whatever is under way settles nothing here."""
    return replace(row, push_id=None, push_state=None, edited=False, failures=0)
