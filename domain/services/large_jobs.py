"""Jobs over more targets than are done at once: so many of an account at a time, and no more."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model.actors import Actor, ActorKind
from domain.model.errors import DomainError
from domain.model.jobs import JobKind
from domain.store import job_targets, jobs
from domain.store.database import Tx

MOST_OPEN = 20
"""Each may hold a million targets. Those that begin in the same moment do not see each other."""


async def open_job(
    tx: Tx,
    actor: Actor,
    kind: JobKind,
    targets: Sequence[UUID],
    *,
    input: Mapping[str, Any],
    due_at: datetime | None = None,
) -> UUID:
    """The job to follow, its targets in the order of their doing. See jobs.create.

    Raises DomainError TOO_MANY where people and tokens have MOST_OPEN that are not over. What the system begins, and
    what a job begins within itself, is neither counted nor refused.
    """
    asked = dict(input)
    if tx.job_id is not None:
        asked["within"] = tx.job_id
    elif actor.kind is not ActorKind.SYSTEM:
        await _check_room(tx)
    job_id = await jobs.create(
        tx, kind, total=len(targets), input=asked, actor=actor, due_at=due_at
    )
    await job_targets.add(tx, job_id, targets)
    return job_id


async def _check_room(tx: Tx) -> None:
    running = await job_targets.count_open(tx, at_most=MOST_OPEN)
    if running >= MOST_OPEN:
        raise DomainError(
            f"{running} large jobs are not over yet, and there are {MOST_OPEN} at most: wait, or cancel one.",
            code="TOO_MANY",
            most=MOST_OPEN,
            running=running,
        )
