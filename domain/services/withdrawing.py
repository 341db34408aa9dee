"""反映の取消 A reflect that was called off: its listings go back to what they were, as far as nothing was sent."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.services.sync import Change, Why, at_rest, reconsider
from domain.store import job_listings, sync
from domain.store.database import Tx
from domain.store.job_listings import Asked
from domain.store.sync import SyncRow


async def withdraw(tx: Tx, job_id: UUID, *, at_most: int, now: datetime) -> bool:
    """Some of the listings that the job asked for and whose numbers were not sent; are there more?

    What goes out for another reason (an order, a repair, another reflect) goes out; an edit that waited to be reflected,
    or came since, waits again; the rest is as it was.
    """
    listing_ids = await job_listings.unsent(tx, job_id, at_most=at_most)
    locked = {row.listing_id: row for row in await sync.lock(tx, listing_ids)}
    asked = await job_listings.asked(tx, job_id, listing_ids)
    unsent = {each: ask for each, ask in asked.items() if locked[each].claimed < ask.generation}
    await reconsider(tx, unsent, Why.LOOKED, now=now, change=_withdrawn(unsent))
    await job_listings.cancel(tx, job_id, list(unsent))
    return len(listing_ids) == at_most


def _withdrawn(unsent: Mapping[UUID, Asked]) -> Change:
    return lambda row: withdrawn(row, unsent[row.listing_id])


def withdrawn(row: SyncRow, ask: Asked) -> SyncRow:
    """The row without what was asked for and not sent yet. Any generation since that is nobody's own is an edit."""
    under_way = row.push_id is not None
    others = max(row.own, ask.others or 0)
    if others > (row.claimed if under_way else row.done):
        still = max(row.claimed, others)
        return replace(row, wanted=still) if row.wanted == ask.generation else row
    edited = ask.edited or row.wanted > ask.generation
    if under_way:
        return replace(row, wanted=row.claimed, edited=edited)
    return at_rest(row, edited=edited)
