"""After a restore or a failover: noticing it, and looking at every account's malls anew (DESIGN §2.15)."""

import asyncio
from datetime import datetime
from uuid import UUID

from domain.services import installation, resync
from domain.store import dispatch
from domain.store.database import Tx
from workers.context import Context

LOOK_SECONDS = 1.0
ACCOUNTS_AT_MOST = 500


async def watch(ctx: Context) -> None:
    """Until cancelled. Each process looks for itself: what it remembers to have seen, no database can take back."""
    seen: datetime | None = None
    while True:
        try:
            seen = await installation.look(ctx.db, seen, loss=ctx.loss_window)
        except Exception as error:
            ctx.db.outage.failed("database_not_seen", error)
        await asyncio.sleep(LOOK_SECONDS)


async def resync_accounts(ctx: Context) -> None:
    """Each account in a transaction of its own. What fails is left to the next turn, and keeps no other waiting."""
    for account_id in await dispatch.resyncs_due(ctx.db, at_most=ACCOUNTS_AT_MOST):
        await _resync(ctx, account_id)


async def _resync(ctx: Context, account_id: UUID) -> None:
    async def work(tx: Tx) -> None:
        await resync.resync(tx, now=ctx.now())

    try:
        await ctx.db.run(account_id, work)
    except Exception as error:
        ctx.db.outage.failed("resync_failed", error, account=str(account_id))
