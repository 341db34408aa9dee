"""What a job is to be done to, target by target, in parts; and what came of each. Each target is taken once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.actors import Actor
from domain.model.jobs import JobKind, JobState
from domain.store.database import Tx

TARGETS = "TARGETS"
"""The bell of a job that has targets to take."""

ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job whose turn is held until commit. `input`: what is to be done. `stumbles`: how often in a row it failed."""

    id: UUID
    kind: JobKind
    state: JobState
    input: Mapping[str, Any]
    actor: Actor
    stumbles: int


@dataclass(frozen=True, slots=True)
class Target:
    place: int
    id: UUID


ADD = text(
    """
    INSERT INTO job_targets (account_id, job_id, place, target_id)
    SELECT :account, :job, :before + t.nth, t.id FROM unnest(cast(:targets AS uuid[])) WITH ORDINALITY AS t (id, nth)
    """
)

TURN = "hashtextextended(concat_ws(chr(31), 'job', cast(:account AS uuid), cast(:job AS uuid)), 0)"
TRY_TURN = text(f"SELECT pg_try_advisory_xact_lock({TURN})")
WAIT_TURN = text(f"SELECT pg_advisory_xact_lock({TURN})")

DUE = text(
    """
    SELECT id, kind, state, input, actor, stumbles FROM jobs
    WHERE account_id = :account AND id = :job AND due_at <= :at
    """
)

NEXT = text(
    """
    SELECT place, target_id AS id FROM job_targets
    WHERE account_id = :account AND job_id = :job AND outcome IS NULL ORDER BY place LIMIT :at_most
    """
)

NOTE = text(
    """
    UPDATE job_targets AS t SET outcome = CASE WHEN n.errors IS NULL THEN 'DONE' ELSE 'REFUSED' END, errors = n.errors
    FROM unnest(cast(:places AS int[]), cast(:errors AS jsonb[])) AS n (place, errors)
    WHERE t.account_id = :account AND t.job_id = :job AND t.place = n.place AND t.outcome IS NULL
    """
)

COUNT_OPEN = text(
    """
    SELECT count(*) FROM (
        SELECT FROM jobs j
        WHERE j.account_id = :account AND j.state IN ('WAITING', 'RUNNING')
            AND j.actor ->> 'kind' IS DISTINCT FROM 'SYSTEM' AND j.input ->> 'within' IS NULL
            AND EXISTS (SELECT FROM job_targets t WHERE t.account_id = j.account_id AND t.job_id = j.id)
        LIMIT :at_most) AS found
    """
)

DUE_AT = text(
    "UPDATE jobs SET due_at = :due_at, stumbles = :stumbles WHERE account_id = :account AND id = :job"
)


async def add(tx: Tx, job_id: UUID, targets: Sequence[UUID]) -> None:
    """In the order of their doing; rings for the job."""
    for start in range(0, len(targets), ROWS_AT_ONCE):
        some = list(targets[start : start + ROWS_AT_ONCE])
        values = {"account": tx.account_id, "job": job_id, "before": start, "targets": some}
        await tx.execute(ADD, values)
    tx.ring(job_id, TARGETS)


async def take_turn(tx: Tx, job_id: UUID, *, at: datetime) -> DueJob | None:
    """The job, if it is due; None where another has its turn until commit, or there is nothing to do."""
    values = {"account": tx.account_id, "job": job_id}
    if not await tx.scalar(TRY_TURN, values):
        return None
    row = (await tx.execute(DUE, values | {"at": at})).one_or_none()
    if row is None:
        return None
    return DueJob(
        row.id,
        JobKind(row.kind),
        JobState(row.state),
        row.input,
        Actor.of_json(row.actor),
        row.stumbles,
    )


async def wait_turn(tx: Tx, job_id: UUID) -> None:
    """Until commit nobody takes targets of the job. Before any other lock."""
    await tx.execute(WAIT_TURN, {"account": tx.account_id, "job": job_id})


async def next_ones(tx: Tx, job_id: UUID, *, at_most: int) -> list[Target]:
    values = {"account": tx.account_id, "job": job_id, "at_most": at_most}
    return [Target(row.place, row.id) for row in await tx.execute(NEXT, values)]


async def note(
    tx: Tx, job_id: UUID, outcomes: Sequence[tuple[int, Mapping[str, Any] | None]]
) -> int:
    """(place, the refusal if it was refused). How many of them had no outcome yet."""
    values = {
        "account": tx.account_id,
        "job": job_id,
        "places": [place for place, _ in outcomes],
        "errors": [
            None if error is None else orjson.dumps([error], default=str).decode()
            for _, error in outcomes
        ],
    }
    return await tx.changed(NOTE, values)


async def count_open(tx: Tx, *, at_most: int) -> int:
    """Jobs with targets that are not over, begun by people and tokens and not within another job."""
    found: int = await tx.scalar(COUNT_OPEN, {"account": tx.account_id, "at_most": at_most})
    return found


async def due_again(tx: Tx, job_id: UUID, at: datetime | None, *, stumbles: int = 0) -> None:
    """`at` None: it has no more targets to take."""
    values = {"account": tx.account_id, "job": job_id, "due_at": at, "stumbles": stumbles}
    await tx.execute(DUE_AT, values)
