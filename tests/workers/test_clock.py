"""What runs by the clock beside the sweep."""

from sqlalchemy import text

from domain.model.malls import MallKind
from domain.store import dispatch
from domain.store.database import Database
from tests.databases import Scratch
from tests.workers.town import town
from workers.clock import check_ledgers


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
