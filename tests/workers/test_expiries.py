"""A key that lapses, told day by day by workers that come and go: once at each mark, whoever looks and however often."""

import asyncio
from datetime import datetime, timedelta

from domain.model.malls import MallKind
from domain.store import shops as shop_rows
from domain.store.database import Database
from tests.workers.town import Town, now, town
from workers.clock import warn_of_expiries
from workers.context import Context

RAKUTEN = MallKind.RAKUTEN
DAYS = 16
LOOKS_A_DAY = 2
WORKERS = 2


async def test_each_mark_is_told_once_whoever_looks(db: Database, malls: str) -> None:
    async with town(db, malls, RAKUTEN) as here:
        began = now()
        lapses = began + timedelta(days=DAYS)
        shop_id = here.stalls[RAKUTEN].id
        await here.db.run(
            here.account_id,
            lambda tx: shop_rows.credential_lives(tx, shop_id, "license_key", lapses),
        )
        marks = []
        for look in range((DAYS + 2) * LOOKS_A_DAY):
            passed = timedelta(days=look / LOOKS_A_DAY)
            before = await _told(here)
            await asyncio.gather(*(_looks(here, began + passed, nth) for nth in range(WORKERS)))
            if await _told(here) > before:
                marks.append((await _told(here) - before, (timedelta(days=DAYS) - passed).days))

    assert marks == [(1, 14), (1, 7), (1, 3), (1, 1), (1, 0)]


async def _looks(here: Town, moment: datetime, nth: int) -> None:
    """A worker that was started just now."""
    ctx = Context(here.db, here.ctx.malls, here.ctx.vault, f"worker-{nth}", now=lambda: moment)
    await warn_of_expiries(ctx)


async def _told(here: Town) -> int:
    """How often those who follow the errors were told of one."""
    return int(await here.scalar("SELECT count(*) FROM events WHERE kind = 'ERROR'"))
