"""Jobs that work through whole shops: how far each is in each of its shops, and which is to go on there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.jobs import JobState
from domain.store import jobs
from domain.store.database import Tx


class ShopWork(StrEnum):
    """What such a job does in a shop; also the name of its bell."""

    INITIAL_ORDERS = "INITIAL_ORDERS"
    READ_STOCK = "READ_STOCK"


@dataclass(frozen=True, slots=True)
class JobShop:
    """A job in one of its shops. `input`: what the job was asked to do. `reached`: its orders are taken in up to here,
    by the mall's clock. Its targets stand from `from_place` to `to_place`. `failures`: in a row. `until`: nobody else
    takes it up before."""

    job_id: UUID
    shop_id: UUID
    work: ShopWork
    input: Mapping[str, Any]
    began: bool
    reached: datetime | None
    from_place: int
    to_place: int
    failures: int
    until: datetime


ADD = text(
    """
    INSERT INTO job_shops (account_id, job_id, shop_id, work, from_place, to_place, next_try_at)
    SELECT :account, :job, s.id, :work, s.from_place, s.to_place, :at
    FROM unnest(cast(:shops AS uuid[]), cast(:from_places AS int[]), cast(:to_places AS int[]))
        AS s (id, from_place, to_place)
    """
)

TAKE = text(
    """
    WITH due AS MATERIALIZED (
        SELECT o.job_id, j.input, j.state <> 'WAITING' AS began FROM job_shops o
        JOIN jobs j ON j.account_id = o.account_id AND j.id = o.job_id AND j.state IN ('WAITING', 'RUNNING')
        WHERE o.account_id = :account AND o.shop_id = :shop AND o.work = :work AND o.outcome IS NULL
            AND o.next_try_at <= :at
        ORDER BY o.job_id LIMIT 1 FOR UPDATE OF o SKIP LOCKED)
    UPDATE job_shops AS w SET next_try_at = :until FROM due
    WHERE w.account_id = :account AND w.job_id = due.job_id AND w.shop_id = :shop
    RETURNING w.job_id, w.shop_id, w.work, due.input, due.began, w.reached, w.from_place, w.to_place, w.failures,
        w.next_try_at AS until
    """
)

BUSY = text(
    """
    SELECT DISTINCT w.shop_id FROM job_shops w
    JOIN jobs j ON j.account_id = w.account_id AND j.id = w.job_id AND j.state IN ('WAITING', 'RUNNING')
    WHERE w.account_id = :account AND w.shop_id = ANY (:shops) AND w.work = :work AND w.outcome IS NULL
    """
)

GOES_ON = text(
    "SELECT state IN ('WAITING', 'RUNNING') FROM jobs WHERE account_id = :account AND id = :job"
)

NOTE_ORDERS = text(
    """
    UPDATE job_shops SET orders = orders + :orders, lines = lines + :lines, deducted = deducted + :deducted,
        reached = coalesce(:reached, reached), failures = 0
    WHERE account_id = :account AND job_id = :job AND shop_id = :shop
    """
)

LATER = text(
    """
    UPDATE job_shops SET next_try_at = :at, failures = :failures
    WHERE account_id = :account AND job_id = :job AND shop_id = :shop
    """
)

PUT_BACK = text(
    """
    UPDATE job_shops SET next_try_at = :at
    WHERE account_id = :account AND job_id = :job AND shop_id = :shop AND next_try_at = :until
    """
)

LOCK_JOB = text("SELECT id FROM jobs WHERE account_id = :account AND id = :job FOR UPDATE")

END = text(
    """
    UPDATE job_shops SET outcome = :outcome
    WHERE account_id = :account AND job_id = :job AND shop_id = :shop AND outcome IS NULL
    """
)

OUTCOMES = text(
    """
    SELECT count(*) FILTER (WHERE outcome IS NULL) AS open, count(*) FILTER (WHERE outcome = 'DONE') AS done
    FROM job_shops WHERE account_id = :account AND job_id = :job
    """
)


async def add(
    tx: Tx,
    job_id: UUID,
    work: ShopWork,
    shops: Sequence[tuple[UUID, int, int]],
    *,
    at: datetime,
) -> None:
    """(shop, its first and its last place among the job's targets); rings each. A job without targets: (shop, 1, 0)."""
    values = {
        "account": tx.account_id,
        "job": job_id,
        "work": work.value,
        "shops": [shop_id for shop_id, _, _ in shops],
        "from_places": [first for _, first, _ in shops],
        "to_places": [last for _, _, last in shops],
        "at": at,
    }
    await tx.execute(ADD, values)
    for shop_id, _, _ in shops:
        tx.ring(shop_id, work.value)


async def take(
    tx: Tx, shop_id: UUID, work: ShopWork, *, at: datetime, length: timedelta
) -> JobShop | None:
    """The oldest job that is to go on in this shop. Nobody else takes it for `length`, or until it is put back: a worker
    that died is not waited for any longer."""
    values = {"account": tx.account_id, "shop": shop_id, "work": work.value}
    row = (await tx.execute(TAKE, values | {"at": at, "until": at + length})).one_or_none()
    return None if row is None else JobShop(**{**row._mapping, "work": work})


async def busy(tx: Tx, shop_ids: Sequence[UUID], work: ShopWork) -> set[UUID]:
    """Those of these shops in which such a job is not over."""
    values = {"account": tx.account_id, "shops": list(shop_ids), "work": work.value}
    return set((await tx.execute(BUSY, values)).scalars())


async def goes_on(tx: Tx, job_id: UUID) -> bool:
    """False once it was called off."""
    return bool(await tx.scalar(GOES_ON, {"account": tx.account_id, "job": job_id}))


async def note_orders(
    tx: Tx, job: JobShop, *, orders: int, lines: int, deducted: int, reached: datetime | None
) -> None:
    """A page was taken in; `reached` with the last one of a window."""
    counts = {"orders": orders, "lines": lines, "deducted": deducted, "reached": reached}
    await tx.execute(NOTE_ORDERS, _key(tx, job) | counts)


async def later(tx: Tx, job: JobShop, at: datetime, *, failures: int = 0) -> None:
    """From then on it may be taken up again."""
    await tx.execute(LATER, _key(tx, job) | {"at": at, "failures": failures})


async def put_back(tx: Tx, job: JobShop, *, at: datetime) -> None:
    """Whoever took it up is at it no more; what was said of its next time holds."""
    await tx.execute(PUT_BACK, _key(tx, job) | {"at": at, "until": job.until})


async def end(tx: Tx, job: JobShop, outcome: JobState, *, at: datetime) -> None:
    """It is over in this shop, DONE or FAILED; with the last shop the job is, which failed where every shop did."""
    values = {"account": tx.account_id, "job": job.job_id}
    await tx.execute(LOCK_JOB, values)
    await tx.execute(END, _key(tx, job) | {"outcome": outcome.value})
    row = (await tx.execute(OUTCOMES, values)).one()
    if not row.open:
        state = JobState.DONE if row.done else JobState.FAILED
        await jobs.finish(tx, job.job_id, state, {}, at=at)


def _key(tx: Tx, job: JobShop) -> dict[str, object]:
    return {"account": tx.account_id, "job": job.job_id, "shop": job.shop_id}
