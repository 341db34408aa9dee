"""モール在庫の読み取り at real malls, by a worker that goes by its clock."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import readings
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, named, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, *KINDS) as made, at_work(made.ctx):
        yield made


async def read_everything(here: Town) -> UUID:
    """Every listing, once the job is over."""
    ids = [row.id for row in await here.query("SELECT id FROM listings")]

    async def ask(tx: Tx) -> UUID:
        return await readings.ask(tx, SYSTEM, ids, now=here.ctx.now())

    job_id = await here.db.run(here.account_id, ask)

    async def over() -> bool:
        state = await here.scalar("SELECT state FROM jobs WHERE id = :job", job=job_id)
        return state == "DONE"

    await eventually(over, because="every mall was read")
    return job_id


async def edited_at_the_mall(here: Town, kind: MallKind, code: str, quantity: int) -> None:
    item = named(ref_at(kind, code)) | {"name": code, "quantity": quantity}
    await here.stalls[kind].asks("PUT", "items", items=[item])


async def test_what_somebody_changed_at_a_mall_is_found_and_put_right(here: Town) -> None:
    await here.has(MUG=10, TEA=5)
    await here.starts()
    await here.settled("MUG", 10)
    await edited_at_the_mall(here, YAHOO, "MUG", 7)
    await edited_at_the_mall(here, AMAZON, "MUG", 14)

    job_id = await read_everything(here)

    await here.settled("MUG", 10)
    [job] = await here.query(
        "SELECT kind, total, done, failed FROM jobs WHERE id = :job", job=job_id
    )
    assert tuple(job) == ("READ_MALL_STOCK", 6, 6, 0)
    sources = await here.query("SELECT DISTINCT outcome FROM job_shops")
    assert [tuple(row) for row in sources] == [("DONE",)]


async def test_switched_off_it_is_shown_and_nothing_is_sent(here: Town) -> None:
    """Read again as long as the mall's clock leaves it open whether the reading came after the file."""
    await here.has(MUG=10)
    await edited_at_the_mall(here, YAHOO, "MUG", 7)

    async def known() -> bool:
        await read_everything(here)
        rows = await here.query(
            "SELECT s.mall, l.base FROM listing_sync l JOIN shops s ON s.id = l.shop_id"
        )
        return {row.mall: row.base for row in rows} == {
            "AMAZON": 10,
            "RAKUTEN": 10,
            "YAHOO_SHOPPING": 7,
        }

    await eventually(known)
    assert (await here.everywhere("MUG"))[YAHOO] == 7
