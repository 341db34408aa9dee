"""在庫同期履歴 The history of runs. At most one of a shop and kind is under way; full syncs end with their job."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text

from domain.model.sync_runs import Run, RunKind, RunOutcome
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Open:
    """A run that is under way, and the one of its shop and kind before it. `epoch`: of the lease it goes on under."""

    id: UUID
    epoch: int
    run: Run
    before_id: UUID | None
    before: Run | None


NOTE = text(
    """
    INSERT INTO sync_runs AS r (account_id, shop_id, kind, epoch, started_at, sent, taken, refused, failed, broken,
        error_id)
    VALUES (:account, :shop, :kind, :epoch, :at, :sent, :taken, :refused, :failed, :broken, :error)
    ON CONFLICT (account_id, shop_id, kind) WHERE outcome = 'RUNNING' AND job_id IS NULL DO UPDATE SET
        epoch = excluded.epoch, sent = r.sent + excluded.sent, taken = r.taken + excluded.taken,
        refused = r.refused + excluded.refused, failed = r.failed + excluded.failed,
        broken = r.broken OR excluded.broken, error_id = coalesce(excluded.error_id, r.error_id)
    """
)

OPEN = text(
    """
    SELECT id, epoch, started_at, outcome, ended_at, sent, taken, refused, failed, broken, turns, error_id
    FROM sync_runs r
    WHERE account_id = :account AND shop_id = :shop AND kind = :kind AND job_id IS NULL AND EXISTS (
        SELECT FROM sync_runs o WHERE o.account_id = r.account_id AND o.shop_id = r.shop_id AND o.kind = r.kind
            AND o.outcome = 'RUNNING' AND o.job_id IS NULL)
    ORDER BY id DESC LIMIT 2
    """
)

END = text(
    """
    WITH before AS (DELETE FROM sync_runs WHERE account_id = :account AND id = :before)
    UPDATE sync_runs SET started_at = :started_at, outcome = :outcome, ended_at = :ended_at, sent = :sent,
        taken = :taken, refused = :refused, failed = :failed, broken = :broken, turns = :turns
    WHERE account_id = :account AND id = :id
    """
)

FORGET = text("DELETE FROM sync_runs WHERE account_id = :account AND id = :id")

OPEN_OF_JOB = text(
    """
    INSERT INTO sync_runs (account_id, shop_id, kind, job_id, started_at)
    SELECT :account, shop, 'FULL_SYNC', :job, :at FROM unnest(cast(:shops AS uuid[])) AS shop ORDER BY shop
    """
)

SYNCING = text(
    """
    SELECT DISTINCT r.shop_id FROM sync_runs r
    JOIN jobs j ON j.account_id = r.account_id AND j.id = r.job_id AND j.state IN ('WAITING', 'RUNNING')
    WHERE r.account_id = :account AND r.shop_id = ANY (:shops) AND r.kind = 'FULL_SYNC' AND r.outcome = 'RUNNING'
    """
)

END_OF_JOB = text(
    """
    UPDATE sync_runs r SET ended_at = j.finished_at, sent = t.good + t.refused, refused = t.refused,
        outcome = CASE WHEN j.state = 'DONE' AND t.refused = 0 THEN 'OK' WHEN t.good > 0 THEN 'PARTIAL' ELSE 'FAILED' END
    FROM jobs j, sync_runs o
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE g.outcome IN ('ACCEPTED', 'APPLIED'))::int AS good,
            count(*) FILTER (WHERE g.outcome = 'REFUSED')::int AS refused
        FROM job_listings g JOIN listings l ON l.account_id = g.account_id AND l.id = g.listing_id
        WHERE g.account_id = o.account_id AND g.job_id = o.job_id AND l.shop_id = o.shop_id) AS t
    WHERE j.account_id = :account AND j.id = :job AND j.state IN ('DONE', 'FAILED', 'CANCELLED')
        AND o.account_id = :account AND o.job_id = :job AND o.outcome = 'RUNNING'
        AND r.account_id = o.account_id AND r.id = o.id
    """
)


async def note(
    tx: Tx,
    shop_id: UUID,
    kind: RunKind,
    epoch: int,
    *,
    sent: int = 0,
    taken: int = 0,
    refused: int = 0,
    failed: int = 0,
    broken: bool = False,
    error_id: UUID | None = None,
    at: datetime,
) -> None:
    """Adds to the run that is under way; the first such note opens it. See model.Run."""
    await tx.execute(
        NOTE,
        {
            **_key(tx, shop_id, kind),
            "epoch": epoch,
            "sent": sent,
            "taken": taken,
            "refused": refused,
            "failed": failed,
            "broken": broken,
            "error": error_id,
            "at": at,
        },
    )


async def under_way(tx: Tx, shop_id: UUID, kind: RunKind) -> Open | None:
    rows = (await tx.execute(OPEN, _key(tx, shop_id, kind))).all()
    if not rows:
        return None
    newest, before = rows[0], rows[1] if len(rows) > 1 else None
    return Open(
        newest.id,
        newest.epoch,
        _run(newest),
        before.id if before else None,
        _run(before) if before else None,
    )


async def end(tx: Tx, run_id: UUID, run: Run, *, instead_of: UUID | None) -> None:
    """`instead_of`: the run before it, which it is told together with."""
    values = {
        "id": run_id,
        "before": instead_of,
        "started_at": run.started_at,
        "outcome": run.outcome.value,
        "ended_at": run.ended_at,
        "sent": run.sent,
        "taken": run.taken,
        "refused": run.refused,
        "failed": run.failed,
        "broken": run.broken,
        "turns": run.turns,
    }
    await tx.execute(END, {"account": tx.account_id} | values)


async def forget(tx: Tx, run_id: UUID) -> None:
    await tx.execute(FORGET, {"account": tx.account_id, "id": run_id})


async def syncing(tx: Tx, shop_ids: Collection[UUID]) -> set[UUID]:
    """Those of these shops of which a full sync is not over."""
    values = {"account": tx.account_id, "shops": list(shop_ids)}
    return set((await tx.execute(SYNCING, values)).scalars())


async def open_of_job(tx: Tx, job_id: UUID, shop_ids: Collection[UUID], *, at: datetime) -> None:
    """A full sync of each of these shops is under way."""
    values = {"account": tx.account_id, "job": job_id, "shops": list(shop_ids), "at": at}
    await tx.execute(OPEN_OF_JOB, values)


async def end_of_job(tx: Tx, job_id: UUID) -> None:
    """Where the job is over, so are its full syncs, each with its shop's own counts. A job that was called off is not
    OK."""
    await tx.execute(END_OF_JOB, {"account": tx.account_id, "job": job_id})


def _run(row: Row[tuple[object, ...]]) -> Run:
    values = {field.name: row._mapping[field.name] for field in fields(Run)}
    return Run(**values | {"outcome": RunOutcome(row.outcome)})


def _key(tx: Tx, shop_id: UUID, kind: RunKind) -> dict[str, object]:
    return {"account": tx.account_id, "shop": shop_id, "kind": kind.value}
