"""一括変更 Bulk changes: what is asked of more targets than are changed at once, done part by part by workers.

A part is one transaction: the job's turn is taken, its next targets are done by the same service as a few of them would
be, and what came of each is noted. A worker may die at any line: a part is done as a whole or not at all, and no target
is done twice. Two workers never have a turn of one job together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.jobs import JobKind, JobState
from domain.services import withdrawing
from domain.services.bulk_actions import ACTIONS, REFLECT, Action, Outcome, Part
from domain.services.large_jobs import open_job
from domain.store import job_targets, jobs
from domain.store.database import Tx
from domain.store.job_targets import DueJob, Target

TARGETS_AT_ONCE = 200
"""One part: few enough that its events are told one by one, and that an order waits for it only for a moment."""

MOST_STUMBLES = 10
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)

PLURALS: Mapping[str, str] = MappingProxyType({"LISTING": "listings", "PRODUCT": "products"})
NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


class PartRefused(Exception):
    """The rules refuse the targets of a part altogether, and nothing of it is done."""

    def __init__(self, places: Sequence[int], error: DomainError) -> None:
        super().__init__(error.message)
        self.places = places
        self.error = error


async def begin(
    tx: Tx,
    actor: Actor,
    action: str,
    targets: Sequence[UUID],
    arguments: Mapping[str, Any] = NO_ARGUMENTS,
    *,
    now: datetime,
) -> UUID:
    """The job to follow: `action` (of ACTIONS) will be done to each target, once.

    `arguments`: what JSON can hold. They are checked by whoever begins it. Raises DomainError TOO_MANY.
    """
    known, targets = ACTIONS[action], list(dict.fromkeys(targets))
    if known.ordered is not None:
        targets = await known.ordered(tx, targets)
    asked = {"action": action, "target": known.target, "arguments": dict(arguments)}
    return await open_job(tx, actor, JobKind.BULK_CHANGE, targets, input=asked, due_at=now)


async def do_part(tx: Tx, job_id: UUID, *, now: datetime) -> bool:
    """Does the job's next targets, as it was asked to; is there more to do?

    Raises PartRefused; then nothing is to be kept of it but `refuse`.
    """
    job = await job_targets.take_turn(tx, job_id, at=now)
    if job is None:
        return False
    more = await (_undo if job.state.is_over else _do)(tx, job, now)
    await job_targets.due_again(tx, job_id, now if more else None)
    return more


async def refuse(tx: Tx, job_id: UUID, refused: PartRefused, *, now: datetime) -> None:
    """Notes the refusal at each of the part's targets that has no outcome yet. Another's turn is left alone."""
    job = await job_targets.take_turn(tx, job_id, at=now)
    if job is None:
        return
    error = _kept(job, refused.error)
    count = await job_targets.note(tx, job_id, [(place, error) for place in refused.places])
    await jobs.progress(tx, job_id, done=count, failed=count)


async def stumbled(tx: Tx, job_id: UUID, *, now: datetime) -> None:
    """A part failed through no fault of its targets: again later, ever more rarely, then never."""
    job = await job_targets.take_turn(tx, job_id, at=now)
    if job is None:
        return
    wait = min(FIRST_WAIT * 2 ** min(job.stumbles, MOST_STUMBLES), LONGEST_WAIT)
    await job_targets.due_again(tx, job_id, now + wait, stumbles=job.stumbles + 1)
    if job.stumbles + 1 >= MOST_STUMBLES:
        await jobs.finish(tx, job_id, JobState.FAILED, {}, at=now)


async def _do(tx: Tx, job: DueJob, now: datetime) -> bool:
    targets = await job_targets.next_ones(tx, job.id, at_most=TARGETS_AT_ONCE)
    if targets:
        tx.job_id = job.id
        outcome = await _act(tx, job, targets, now)
        await _note(tx, job, targets, outcome)
    return len(targets) == TARGETS_AT_ONCE


async def _undo(tx: Tx, job: DueJob, now: datetime) -> bool:
    """Of a reflect that was called off what waits is withdrawn; of all else that is over nothing is left."""
    if job.kind is not JobKind.REFLECT:
        return False
    return await withdrawing.withdraw(tx, job.id, at_most=TARGETS_AT_ONCE, now=now)


async def _act(tx: Tx, job: DueJob, targets: Sequence[Target], now: datetime) -> Outcome:
    ids = [target.id for target in targets]
    part = Part(job.id, job.actor, ids, job.input.get("arguments", NO_ARGUMENTS), now)
    try:
        return await _action(job).act(tx, part)
    except DomainError as error:
        raise PartRefused([target.place for target in targets], error) from error


def _action(job: DueJob) -> Action:
    return ACTIONS[REFLECT if job.kind is JobKind.REFLECT else job.input["action"]]


async def _note(tx: Tx, job: DueJob, targets: Sequence[Target], outcome: Outcome) -> None:
    errors = {each.target_id: _kept(job, each.error) for each in outcome.refused}
    noted = [(target.place, errors.get(target.id)) for target in targets]
    await job_targets.note(tx, job.id, noted)
    done = len(targets) - outcome.under_way
    await jobs.progress(tx, job.id, done=done, failed=len(errors))


def _kept(job: DueJob, error: DomainError) -> Mapping[str, Any]:
    """A refusal with the kind of its target in its path, so that its sentence names that."""
    told = error.as_json()
    return {**told, "field": [PLURALS[_action(job).target], *told["field"]]}
