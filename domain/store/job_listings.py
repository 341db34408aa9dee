"""The listings that a reflect was asked for, and the generation of each that answers it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Answered:
    """How many listings of a job have just got their outcome, and how many of those were refused."""

    job_id: UUID
    done: int
    failed: int


ASK = text(
    """
    INSERT INTO job_listings (account_id, job_id, listing_id, generation, outcome)
    SELECT :account, :job, l.listing_id, l.generation, l.outcome
    FROM unnest(cast(:listings AS uuid[]), cast(:generations AS bigint[]), cast(:outcomes AS text[]))
        AS l (listing_id, generation, outcome)
    """
)

ANSWER = text(
    """
    WITH answered AS (
        UPDATE job_listings j SET outcome = o.outcome
        FROM unnest(cast(:listings AS uuid[]), cast(:outcomes AS text[])) AS o (listing_id, outcome), listing_sync s
        WHERE j.account_id = :account AND j.listing_id = o.listing_id AND j.outcome IS NULL
            AND s.account_id = j.account_id AND s.listing_id = j.listing_id
            AND (o.outcome <> 'APPLIED' OR j.generation <= s.done)
        RETURNING j.job_id, j.outcome)
    SELECT job_id, count(*) AS done, count(*) FILTER (WHERE outcome = 'REFUSED') AS failed FROM answered
    GROUP BY job_id ORDER BY job_id
    """
)

WAITING = text(
    """
    SELECT DISTINCT listing_id FROM job_listings
    WHERE account_id = :account AND listing_id = ANY (:listings) AND outcome IS NULL
    """
)


async def ask(
    tx: Tx, job_id: UUID, listings: Sequence[tuple[UUID, int | None, str | None]]
) -> None:
    """(listing, the generation that answers, its outcome where it is known at once)."""
    await tx.execute(
        ASK,
        {
            "account": tx.account_id,
            "job": job_id,
            "listings": [listing for listing, _, _ in listings],
            "generations": [generation for _, generation, _ in listings],
            "outcomes": [outcome for _, _, outcome in listings],
        },
    )


async def waiting(tx: Tx, listing_ids: Collection[UUID]) -> set[UUID]:
    """Those of the listings for which a job still waits."""
    if not listing_ids:
        return set()
    rows = await tx.execute(WAITING, {"account": tx.account_id, "listings": list(listing_ids)})
    return set(rows.scalars())


async def answer(tx: Tx, outcomes: Sequence[tuple[UUID, str]]) -> list[Answered]:
    """Gives the listings their outcome in every job that still waits for it. APPLIED answers only those whose
    generation is done by now."""
    if not outcomes:
        return []
    rows = await tx.execute(
        ANSWER,
        {
            "account": tx.account_id,
            "listings": [listing for listing, _ in outcomes],
            "outcomes": [outcome for _, outcome in outcomes],
        },
    )
    return [Answered(row.job_id, row.done, row.failed) for row in rows]
