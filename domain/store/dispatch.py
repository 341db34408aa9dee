"""Which shops and jobs have work, across accounts: the only thing that is read without naming one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text

from domain.model.mall_specs import MALL_SPECS
from domain.store.database import Database

DUE = text(
    "SELECT account_id, shop_id, work FROM renkei_due(:at, :at_most, cast(:freshness AS jsonb))"
)
JOBS_DUE = text("SELECT account_id, job_id FROM renkei_jobs_due(:at, :at_most)")
OVERDUE = text(
    "SELECT account_id, listing_id FROM renkei_overdue(:at, :at_most, cast(:delays AS jsonb))"
)
EXPIRING = text("SELECT account_id, shop_id FROM renkei_expiring(:before, :at_most)")
ACCOUNTS = text("SELECT renkei_accounts(:after, :at_most) AS id")
PARTITIONS = text("SELECT renkei_make_partitions(:months)")
ASTRAY = text("SELECT renkei_unpartitioned_rows()")
FORGET = text("SELECT renkei_forget_events(:before, :at_most)")
FORGET_PUSHES = text("SELECT renkei_forget_pushes(:before, :at_most)")
FORGET_JOBS = text("SELECT renkei_forget_jobs(:before, :at_most)")
FORGET_ERRORS = text("SELECT renkei_forget_errors(:before, :at_most)")
FORGET_RUNS = text("SELECT renkei_forget_runs(:before, :at_most)")
FORGET_OVERSELLS = text("SELECT renkei_forget_oversells(:before, :at_most)")
FORGET_EXPOSURES = text("SELECT renkei_forget_exposures(:before, :at_most)")

RESYNCS = text("SELECT renkei_resyncs_due(:at_most)")

FRESHNESS = orjson.dumps(
    {
        kind.value: spec.capabilities.order_freshness.total_seconds()
        for kind, spec in MALL_SPECS.items()
    }
).decode()
DELAYS = orjson.dumps(
    {kind.value: spec.capabilities.usual_delay.total_seconds() for kind, spec in MALL_SPECS.items()}
).decode()


@dataclass(frozen=True, slots=True)
class Due:
    """`work` names the job: ORDERS, REFLECT, READ_BACK, CHECK, FEED, WALK, or one of job_shops.ShopWork."""

    account_id: UUID
    shop_id: UUID
    work: str


async def due(db: Database, *, at: datetime, at_most: int) -> list[Due]:
    """Shops with work that may begin now, in no order, so that no account comes first for ever."""
    async with db.connection() as connection:
        parameters = {"at": at, "at_most": at_most, "freshness": FRESHNESS}
        rows = await connection.execute(DUE, parameters)
        return [Due(**row._mapping) for row in rows]


async def jobs_due(db: Database, *, at: datetime, at_most: int) -> list[tuple[UUID, UUID]]:
    """(account, job) with targets that may be taken now, in no order."""
    async with db.connection() as connection:
        rows = await connection.execute(JOBS_DUE, {"at": at, "at_most": at_most})
        return [(row.account_id, row.job_id) for row in rows]


async def overdue(db: Database, *, at: datetime, at_most: int) -> list[tuple[UUID, UUID]]:
    """(account, listing) whose push has waited for longer than its shop and mall usually take, and that are not shown
    as a difference yet."""
    async with db.connection() as connection:
        parameters = {"at": at, "at_most": at_most, "delays": DELAYS}
        rows = await connection.execute(OVERDUE, parameters)
        return [(row.account_id, row.listing_id) for row in rows]


async def expiring(db: Database, *, before: datetime, at_most: int) -> list[tuple[UUID, UUID]]:
    """(account, shop) with a credential that lapses before then, the soonest first."""
    async with db.connection() as connection:
        rows = await connection.execute(EXPIRING, {"before": before, "at_most": at_most})
        return [(row.account_id, row.shop_id) for row in rows]


async def resyncs_due(db: Database, *, at_most: int) -> list[UUID]:
    """Accounts for which nothing goes on until what they believe of their malls is looked at anew."""
    async with db.connection() as connection:
        return list((await connection.execute(RESYNCS, {"at_most": at_most})).scalars())


async def accounts(db: Database, *, at_most: int = 500) -> AsyncIterator[UUID]:
    """Every account, read in pages of `at_most`."""
    after: UUID | None = None
    while True:
        async with db.connection() as connection:
            rows = await connection.execute(ACCOUNTS, {"after": after, "at_most": at_most})
            page = list(rows.scalars())
        for account_id in page:
            yield account_id
        if len(page) < at_most:
            return
        after = page[-1]


async def make_partitions(db: Database, *, months_ahead: int) -> int:
    """How many months of logs were made ahead."""
    async with db.connection() as connection:
        made: int = await connection.scalar(PARTITIONS, {"months": months_ahead})
        return made


async def unpartitioned_rows(db: Database) -> int:
    """Log rows that fell outside every month: above 0 is an alarm."""
    async with db.connection() as connection:
        astray: int = await connection.scalar(ASTRAY)
        return astray


async def forget_events(db: Database, *, before: datetime, at_most: int) -> int:
    """How many events older than that are gone."""
    return await _forget(db, FORGET, before, at_most)


async def forget_pushes(db: Database, *, before: datetime, at_most: int) -> int:
    """How many attempts older than that are gone; those that are open, and each listing's newest, stay."""
    return await _forget(db, FORGET_PUSHES, before, at_most)


async def forget_jobs(db: Database, *, before: datetime, at_most: int) -> int:
    """How many jobs that were over by then are gone; each shop's newest connection test stays."""
    return await _forget(db, FORGET_JOBS, before, at_most)


async def forget_errors(db: Database, *, before: datetime, at_most: int) -> int:
    """How many errors whose cause was gone by then are gone."""
    return await _forget(db, FORGET_ERRORS, before, at_most)


async def forget_runs(db: Database, *, before: datetime, at_most: int) -> int:
    """How many runs that were over by then are gone."""
    return await _forget(db, FORGET_RUNS, before, at_most)


async def forget_oversells(db: Database, *, before: datetime, at_most: int) -> int:
    """How many oversells that were over by then are gone."""
    return await _forget(db, FORGET_OVERSELLS, before, at_most)


async def forget_exposures(db: Database, *, before: datetime, at_most: int) -> int:
    """How many days of products at shops, all of them over by then, are gone."""
    return await _forget(db, FORGET_EXPOSURES, before, at_most)


async def _forget(db: Database, what: TextClause, before: datetime, at_most: int) -> int:
    async with db.connection() as connection:
        gone: int = await connection.scalar(what, {"before": before, "at_most": at_most})
        return gone
