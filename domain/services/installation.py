"""Noticing a restore or a failover, before anything goes out on what the database believes (DESIGN §2.15).

The system identifier of the cluster and its timeline say that it is another one. A copy of the same files, put back in its
place, has both as before: only who remembers to have seen it at a later time notices.
"""

from datetime import datetime, timedelta

import structlog

from domain.store import installation
from domain.store.database import Database

SEEN_EVERY = timedelta(seconds=10)

log = structlog.get_logger(__name__)


async def look(db: Database, before: datetime | None, *, loss: timedelta) -> datetime | None:
    """Until when the database is known to be this one, to be remembered until the next look as `before`.

    Whatever came within `loss` before it was seen last may be lost too.
    """
    here = await installation.look(db)
    if here.seen_at is None:
        await installation.begin(db)
    elif here.moved or (before is not None and here.seen_at < before):
        await _notice(db, before, loss)
    elif here.now - here.seen_at >= SEEN_EVERY:
        await installation.seen(db)
    return here.seen_at if before is None or here.seen_at is None else max(before, here.seen_at)


async def _notice(db: Database, before: datetime | None, loss: timedelta) -> None:
    noticed = await installation.notice(db, before=before, loss=loss)
    if noticed is not None:
        log.warning("database_restored", since=noticed.since, accounts=noticed.accounts)
