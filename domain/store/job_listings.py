"""The listings that a reflect was asked for, and the generation of each that answers it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job waits for. `edited`: an edit waited to be reflected when it asked. `others`: the newest generation that
    another job waits for on the same listing."""

    generation: int
    edited: bool
    others: int | None


@dataclass(frozen=True, slots=True)
class Answered:
    """How many listings of a job have just got their outcome, and how many of those were refused."""

    job_id: UUID
    done: int
    failed: int


ASK = text(
    """
    INSERT INTO job_listings (account_id, job_id, listing_id, generation, outcome, edited)
    SELECT :account, :job, l.listing_id, l.generation, l.outcome,
        l.listing_id = ANY (cast(:edited AS uuid[])) OR EXISTS (SELECT 1 FROM job_listings o
            WHERE o.account_id = :account AND o.listing_id = l.listing_id AND o.outcome IS NULL AND o.edited)
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

UNSENT = text(
    """
    SELECT j.listing_id FROM job_listings j
    JOIN listing_sync s ON s.account_id = j.account_id AND s.listing_id = j.listing_id
    WHERE j.account_id = :account AND j.job_id = :job AND j.outcome IS NULL AND s.claimed < j.generation
    ORDER BY j.listing_id LIMIT :at_most
    """
)

ASKED = text(
    """
    SELECT j.listing_id, j.generation, j.edited, (SELECT max(o.generation) FROM job_listings o
        WHERE o.account_id = :account AND o.listing_id = j.listing_id AND o.outcome IS NULL AND o.job_id <> :job) AS others
    FROM job_listings j
    WHERE j.account_id = :account AND j.job_id = :job AND j.listing_id = ANY (:listings) AND j.outcome IS NULL
    """
)

CANCEL = text(
    """
    UPDATE job_listings SET outcome = 'CANCELLED'
    WHERE account_id = :account AND job_id = :job AND listing_id = ANY (:listings) AND outcome IS NULL
    """
)


async def ask(
    tx: Tx,
    job_id: UUID,
    listings: Sequence[tuple[UUID, int | None, str | None]],
    *,
    edited: Collection[UUID] = (),
) -> None:
    """(listing, the generation that answers, its outcome where it is known at once). `edited`: those of which an edit
    waited to be reflected; as it did for a job that still waits for the same listing."""
    await tx.execute(
        ASK,
        {
            "account": tx.account_id,
            "job": job_id,
            "listings": [listing for listing, _, _ in listings],
            "generations": [generation for _, generation, _ in listings],
            "outcomes": [outcome for _, _, outcome in listings],
            "edited": list(edited),
        },
    )


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


async def unsent(tx: Tx, job_id: UUID, *, at_most: int) -> list[UUID]:
    """The first listings for which the job waits and whose number was not sent since it asked."""
    values = {"account": tx.account_id, "job": job_id, "at_most": at_most}
    return list((await tx.execute(UNSENT, values)).scalars())


async def asked(tx: Tx, job_id: UUID, listing_ids: Sequence[UUID]) -> dict[UUID, Asked]:
    """By listing, those of them for which the job still waits. To be read after their rows were locked."""
    values = {"account": tx.account_id, "job": job_id, "listings": list(listing_ids)}
    rows = await tx.execute(ASKED, values)
    return {row.listing_id: Asked(row.generation, row.edited, row.others) for row in rows}


async def cancel(tx: Tx, job_id: UUID, listing_ids: Sequence[UUID]) -> None:
    """The job waits for these no longer."""
    values = {"account": tx.account_id, "job": job_id, "listings": list(listing_ids)}
    await tx.execute(CANCEL, values)
