"""What runs by the clock beside the sweep."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.schedules import WEEK
from domain.services import schedules
from domain.services.schedules import Plan
from domain.store import dispatch
from domain.store.database import Database, Tx
from tests.databases import Scratch
from tests.workers.town import Town, now, town
from workers.clock import check_ledgers, run_schedules


async def test_every_account_is_met_once_whatever_the_page(db: Database) -> None:
    whole = [each async for each in dispatch.accounts(db)]
    in_pages = [each async for each in dispatch.accounts(db, at_most=2)]

    assert whole == in_pages == sorted(set(whole))


async def test_a_total_that_left_its_ledger_is_found(
    db: Database, own_database: Scratch, malls: str
) -> None:
    async with town(db, malls, MallKind.RAKUTEN) as here:
        await here.has(MUG=10)
        assert await check_ledgers(here.ctx) == 0

        owner = Database.at(own_database.url())
        async with owner.transaction(here.account_id) as tx:
            await tx.execute(
                text("UPDATE products SET total = 11 WHERE account_id = :a"), {"a": here.account_id}
            )

        assert await check_ledgers(here.ctx) == 1
        async with owner.transaction(here.account_id) as tx:
            await tx.execute(
                text("UPDATE products SET total = 10 WHERE account_id = :a"), {"a": here.account_id}
            )
        await owner.close()


async def test_a_schedule_that_cannot_be_run_keeps_no_other_account_waiting(
    db: Database, malls: str
) -> None:
    async with (
        town(db, malls, MallKind.RAKUTEN) as broken,
        town(db, malls, MallKind.RAKUTEN) as here,
    ):
        await _is_due(broken, timedelta(days=1))
        await _is_due(here, timedelta(seconds=1))
        await broken.query("UPDATE accounts SET time_zone = 'Mars/Utopia' RETURNING id")

        await run_schedules(here.ctx)

        due = "SELECT count(*) FROM full_sync_schedules WHERE next_run_at <= clock_timestamp()"
        assert (await broken.scalar(due), await here.scalar(due)) == (1, 0)
        await broken.query("DELETE FROM full_sync_schedules RETURNING id")


async def _is_due(town: Town, ago: timedelta) -> None:
    async def plan(tx: Tx) -> UUID:
        shop_id = town.stalls[MallKind.RAKUTEN].id
        every_day = Plan("03:30", WEEK, True)
        return await schedules.save_schedule(tx, SYSTEM, None, shop_id, every_day, now=now())

    await town.db.run(town.account_id, plan)
    change = "UPDATE full_sync_schedules SET next_run_at = :at RETURNING id"
    await town.query(change, at=now() - ago)
