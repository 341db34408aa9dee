"""One turn of doing a job's targets, part by part, until none is left or the turn is over."""

from uuid import UUID

from domain.services import bulk
from domain.services.bulk import PartRefused
from domain.store.database import Tx
from workers.context import Context
from workers.turns import again_and_again

TURN_SECONDS = 45


async def do_targets(ctx: Context, account_id: UUID, job_id: UUID) -> None:
    """It can die at any line and be run again. Another worker's turn is left alone; what is left when this turn is over
    the clock finds."""
    await again_and_again(TURN_SECONDS, lambda: _do_part(ctx, account_id, job_id))


async def _do_part(ctx: Context, account_id: UUID, job_id: UUID) -> bool:
    """Is there more to do?"""

    async def work(tx: Tx) -> bool:
        return await bulk.do_part(tx, job_id, now=ctx.now())

    try:
        return await ctx.db.run(account_id, work)
    except PartRefused as refused:
        await _refuse(ctx, account_id, job_id, refused)
        return True
    except Exception as error:
        ctx.db.outage.failed("part_failed", error, account=str(account_id), job=str(job_id))
        await _stumbled(ctx, account_id, job_id)
        return False


async def _refuse(ctx: Context, account_id: UUID, job_id: UUID, refused: PartRefused) -> None:
    async def work(tx: Tx) -> None:
        await bulk.refuse(tx, job_id, refused, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _stumbled(ctx: Context, account_id: UUID, job_id: UUID) -> None:
    async def work(tx: Tx) -> None:
        await bulk.stumbled(tx, job_id, now=ctx.now())

    await ctx.db.run(account_id, work)
