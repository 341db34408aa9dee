"""取消 Calling jobs off: what is done stays, and the rest is not begun."""

from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.jobs import JobKind
from domain.services import withdrawing
from domain.services.edits import not_found
from domain.store import job_targets, jobs, logs
from domain.store.database import Tx

WITHDRAWN_AT_ONCE = 200


async def kind(tx: Tx, job_id: UUID) -> JobKind:
    """Raises DomainError NOT_FOUND."""
    found = await jobs.find(tx, job_id)
    if found is None:
        raise not_found("job", "job_id")
    return found[0]


async def cancel(tx: Tx, actor: Actor, job_id: UUID, *, now: datetime) -> None:
    """Waits for the part that a worker is doing just now; afterwards none is begun. A job that is over stays as it is.

    Of a reflect, what was not sent is withdrawn: at once, or by a worker where it is much. Raises DomainError NOT_FOUND,
    or INVALID_VALUE for a connection test.
    """
    await job_targets.wait_turn(tx, job_id)
    found = await jobs.find(tx, job_id)
    if found is None:
        raise not_found("job", "job_id")
    kind, state = found
    if state.is_over:
        return
    _check(kind)
    more = kind is JobKind.REFLECT and await withdrawing.withdraw(
        tx, job_id, at_most=WITHDRAWN_AT_ONCE, now=now
    )
    await jobs.cancel(tx, job_id, at=now, due_at=now if more else None)
    if more:
        tx.ring(job_id, job_targets.TARGETS)
    facts = {"kind": kind.value}
    await logs.operation(tx, actor.as_json(), "CANCEL_JOB", "JOB", [(None, facts)], job_id=job_id)


def _check(kind: JobKind) -> None:
    if kind is JobKind.SHOP_CHECK:
        raise DomainError(
            "A connection test is over in a minute by itself: wait for its outcome.",
            field=("job_id",),
        )
