"""Work that outlasts a request, as rows: what was asked, how far it is, what came of it. Each step is announced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from domain.model.actors import Actor
from domain.model.events import EventKind
from domain.model.jobs import JobKind, JobState
from domain.store import sync_runs
from domain.store.database import Event, Tx

CHECK = "CHECK"
"""The bell of a shop whose connection is to be tested."""

MOST_CHECKS = 100
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Check:
    """A connection test that somebody asked for, locked. `input`: `resume`, `consent`. `actor`: who, as kept."""

    id: UUID
    shop_id: UUID
    input: Mapping[str, Any]
    actor: Mapping[str, Any]


CREATE = text(
    """
    INSERT INTO jobs (account_id, kind, shop_id, total, input, actor, due_at)
    VALUES (:account, :kind, :shop, :total, cast(:input AS jsonb), cast(:actor AS jsonb), :due_at) RETURNING id
    """
)

LOCK_CHECKS = text(
    """
    SELECT id, shop_id, input, actor FROM jobs
    WHERE account_id = :account AND shop_id = :shop AND kind = 'SHOP_CHECK'
        AND state IN ('WAITING', 'RUNNING')
        AND (state = 'RUNNING' OR started_at IS NULL OR started_at <= cast(:at AS timestamptz) - interval '30 seconds')
    ORDER BY id LIMIT :at_most FOR UPDATE SKIP LOCKED
    """
)

CHECK_WAITS = text(
    """
    SELECT EXISTS (
        SELECT FROM jobs
        WHERE account_id = :account AND shop_id = :shop AND kind = 'SHOP_CHECK' AND state = 'WAITING' AND started_at IS NULL)
    """
)

START = text(
    """
    UPDATE jobs SET state = 'RUNNING', started_at = :at
    WHERE account_id = :account AND id = ANY (:jobs) AND state IN ('WAITING', 'RUNNING')
    RETURNING id, shop_id, state, total, done, failed
    """
)

PUT_BACK = text(
    """
    UPDATE jobs SET state = 'WAITING', result = cast(:result AS jsonb)
    WHERE account_id = :account AND id = :job AND state IN ('WAITING', 'RUNNING')
    RETURNING id, shop_id, state, total, done, failed
    """
)

FINISH = text(
    """
    UPDATE jobs SET state = :state, result = cast(:result AS jsonb), finished_at = :at, due_at = NULL
    WHERE account_id = :account AND id = :job AND state IN ('WAITING', 'RUNNING')
    RETURNING id, shop_id, state, total, done, failed
    """
)

PROGRESS = text(
    """
    UPDATE jobs SET done = done + :done, failed = failed + :failed,
        due_at = CASE WHEN state = 'CANCELLED' OR NOT :ends OR done + :done < total THEN due_at END,
        state = CASE WHEN state = 'CANCELLED' THEN state WHEN :ends AND done + :done >= total THEN 'DONE'
            ELSE 'RUNNING' END,
        started_at = coalesce(started_at, clock_timestamp()),
        finished_at = CASE WHEN state = 'CANCELLED' THEN finished_at
            WHEN :ends AND done + :done >= total THEN clock_timestamp() END
    WHERE account_id = :account AND id = :job AND state IN ('WAITING', 'RUNNING', 'CANCELLED')
    RETURNING id, shop_id, state, total, done, failed
    """
)

FIND = text("SELECT kind, state FROM jobs WHERE account_id = :account AND id = :job")

CANCEL = text(
    """
    UPDATE jobs SET state = 'CANCELLED', finished_at = :at, due_at = :due_at
    WHERE account_id = :account AND id = :job AND state IN ('WAITING', 'RUNNING')
    RETURNING id, shop_id, state, total, done, failed
    """
)

CANCEL_OF_SHOP = text(
    """
    UPDATE jobs SET state = 'CANCELLED', finished_at = :at
    WHERE account_id = :account AND shop_id = :shop AND state IN ('WAITING', 'RUNNING')
    RETURNING id, shop_id, state, total, done, failed
    """
)


async def create(
    tx: Tx,
    kind: JobKind,
    *,
    shop_id: UUID | None = None,
    total: int | None = None,
    input: Mapping[str, Any] = NOTHING,
    actor: Actor,
    due_at: datetime | None = None,
) -> UUID:
    """A job that waits. A connection test rings its shop. `due_at`: from when on a worker may take its targets."""
    job_id: UUID = await tx.scalar(
        CREATE,
        {
            "account": tx.account_id,
            "kind": kind.value,
            "shop": shop_id,
            "total": total,
            "input": orjson.dumps(dict(input), default=str).decode(),
            "actor": orjson.dumps(actor.as_json()).decode(),
            "due_at": due_at,
        },
    )
    payload = {"state": JobState.WAITING.value, "total": total, "done": 0, "failed": 0}
    tx.emit(Event(EventKind.JOB, JobState.WAITING.value, job_id, shop_id, payload=payload))
    if kind is JobKind.SHOP_CHECK and shop_id is not None:
        tx.ring(shop_id, CHECK)
    return job_id


async def lock_checks(tx: Tx, shop_id: UUID, *, at: datetime) -> list[Check]:
    """The shop's tests to be made now, oldest first, for who has the shop's lease: of one that is under way the tester died.

    One that was put back waits until half a minute after it began.
    """
    values = {"account": tx.account_id, "shop": shop_id, "at": at, "at_most": MOST_CHECKS}
    return [Check(**row._mapping) for row in await tx.execute(LOCK_CHECKS, values)]


async def start(tx: Tx, job_ids: Sequence[UUID], *, at: datetime) -> None:
    rows = await tx.execute(START, {"account": tx.account_id, "jobs": list(job_ids), "at": at})
    for row in rows:
        _announce(tx, row)


async def check_waits(tx: Tx, shop_id: UUID) -> bool:
    """Was a test of the shop asked for that nobody has begun?"""
    return bool(await tx.scalar(CHECK_WAITS, {"account": tx.account_id, "shop": shop_id}))


async def put_back(tx: Tx, job_id: UUID, result: Mapping[str, Any]) -> None:
    """It waits again, with what was learnt so far."""
    values = {"job": job_id, "result": orjson.dumps(dict(result), default=str).decode()}
    row = (await tx.execute(PUT_BACK, {"account": tx.account_id} | values)).one_or_none()
    _announce(tx, row)


async def finish(
    tx: Tx, job_id: UUID, state: JobState, result: Mapping[str, Any], *, at: datetime
) -> None:
    """A job that is over already keeps its state and result. Full syncs end with it."""
    values = {
        "account": tx.account_id,
        "job": job_id,
        "state": state.value,
        "result": orjson.dumps(dict(result), default=str).decode(),
        "at": at,
    }
    _announce(tx, (await tx.execute(FINISH, values)).one_or_none())
    await sync_runs.end_of_job(tx, job_id)


async def progress(tx: Tx, job_id: UUID, *, done: int, failed: int, ends: bool = True) -> None:
    """`done` more have their outcome, `failed` of these a bad one. The job is over when all of its total have, unless
    the caller `ends` it; one that was called off stays so, and counts what was under way."""
    values = {
        "account": tx.account_id,
        "job": job_id,
        "done": done,
        "failed": failed,
        "ends": ends,
    }
    row = (await tx.execute(PROGRESS, values)).one_or_none()
    _announce(tx, row)
    if row is not None and row.state == JobState.DONE:
        await sync_runs.end_of_job(tx, job_id)


async def find(tx: Tx, job_id: UUID) -> tuple[JobKind, JobState] | None:
    row = (await tx.execute(FIND, {"account": tx.account_id, "job": job_id})).one_or_none()
    return None if row is None else (JobKind(row.kind), JobState(row.state))


async def cancel(tx: Tx, job_id: UUID, *, at: datetime, due_at: datetime | None = None) -> None:
    """It is over, unless it is already. `due_at`: from when on a worker may withdraw what is under way."""
    values = {"account": tx.account_id, "job": job_id, "at": at, "due_at": due_at}
    _announce(tx, (await tx.execute(CANCEL, values)).one_or_none())
    await sync_runs.end_of_job(tx, job_id)


async def cancel_of_shop(tx: Tx, shop_id: UUID, *, at: datetime) -> None:
    """Whatever waits or runs for this shop alone is over."""
    values = {"account": tx.account_id, "shop": shop_id, "at": at}
    for row in await tx.execute(CANCEL_OF_SHOP, values):
        _announce(tx, row)


def _announce(tx: Tx, row: Row[Any] | None) -> None:
    if row is None:
        return
    payload = {name: row._mapping[name] for name in ("state", "total", "done", "failed")}
    tx.emit(Event(EventKind.JOB, row.state, row.id, row.shop_id, payload=payload))
