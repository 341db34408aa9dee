"""A reflect that was asked for: its listings, and how far they are."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE, JobKind
from domain.services.large_jobs import open_job
from domain.services.sync import Why, reconsider
from domain.store import job_listings, jobs
from domain.store.database import Tx
from domain.store.sync import SyncRow

MOST_LISTINGS = 1_000_000


def check_count(listing_ids: Collection[UUID], what: str, mend: str) -> None:
    """Before a job over that many is asked for. Raises DomainError TOO_MANY, which says `mend`."""
    if len(listing_ids) > MOST_LISTINGS:
        raise DomainError(
            f"One {what} takes at most {MOST_LISTINGS} listings. {mend}",
            code="TOO_MANY",
            field=("shop_ids",),
            most=MOST_LISTINGS,
            count=len(listing_ids),
        )


async def ask(
    tx: Tx, actor: Actor, listing_ids: Collection[UUID], *, sweeps: bool = False, now: datetime
) -> UUID:
    """Sends these listings' numbers, also where the mall seems to show them already: the job to follow.

    What may not be pushed now is `HELD` in the job, not an error (API decision 7). Of more than AT_ONCE a worker asks,
    part by part. `sweeps`: after all that is urgent. Raises DomainError TOO_MANY.
    """
    wanted = sorted(set(listing_ids))
    if len(wanted) > AT_ONCE:
        return await _ask_later(tx, actor, wanted, sweeps, now)
    job_id = await jobs.create(tx, JobKind.REFLECT, total=len(wanted), actor=actor)
    waiting = await ask_part(tx, job_id, wanted, sweeps=sweeps, now=now)
    await jobs.progress(tx, job_id, done=len(wanted) - waiting, failed=0)
    return job_id


async def ask_part(
    tx: Tx, job_id: UUID, listing_ids: Collection[UUID], *, sweeps: bool = False, now: datetime
) -> int:
    """Asks for some of a job's listings; how many of them wait now. What of an edit waited for a reflect is noted."""
    edited: set[UUID] = set()

    def note(row: SyncRow) -> SyncRow:
        if row.edited:
            edited.add(row.listing_id)
        return row

    why = Why.SWEPT if sweeps else Why.ASKED
    rows = await reconsider(tx, listing_ids, why, now=now, change=note)
    await job_listings.ask(tx, job_id, [_asked(row) for row in rows], edited=edited)
    return sum(row.waits for row in rows)


async def _ask_later(
    tx: Tx, actor: Actor, wanted: Sequence[UUID], sweeps: bool, now: datetime
) -> UUID:
    asked = {"arguments": {"sweeps": True}} if sweeps else {}
    return await open_job(tx, actor, JobKind.REFLECT, wanted, input=asked, due_at=now)


async def settled(tx: Tx, stood: Sequence[UUID], *, refused: Sequence[UUID] = ()) -> None:
    """Numbers went out, or were refused: the jobs that waited for them."""
    outcomes = [(each, "APPLIED") for each in stood] + [(each, "REFUSED") for each in refused]
    for answered in await job_listings.answer(tx, outcomes):
        await jobs.progress(tx, answered.job_id, done=answered.done, failed=answered.failed)


def _asked(row: SyncRow) -> tuple[UUID, int | None, str | None]:
    return (row.listing_id, row.wanted, None) if row.waits else (row.listing_id, None, "HELD")
