"""A mall that takes one item a call: several calls go out together, each with an end of its own."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import stock
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town

AMAZON = MallKind.AMAZON
CODES = [f"MUG{number}" for number in range(8)]
MOST_TOGETHER = """
    SELECT max(together) FROM (SELECT count(*) AS together FROM pushes GROUP BY call_id) AS calls
"""


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, AMAZON) as made:
        await made.has(**dict.fromkeys(CODES, 10))
        async with at_work(made.ctx):
            yield made


async def test_what_waits_together_goes_out_together(here: Town) -> None:
    await _count_again(here, 7)

    await here.starts()

    await _all_show(here, CODES, 7)
    assert await here.scalar(MOST_TOGETHER) == len(CODES)


async def test_one_that_is_refused_holds_up_no_other(here: Town) -> None:
    await here.stalls[AMAZON].goes_wrong("partial", items=[CODES[0]])
    await _count_again(here, 7)

    await here.starts()

    await _all_show(here, CODES[1:], 7)
    assert await here.stalls[AMAZON].shows(ref_at(AMAZON, CODES[0])) == 10


async def test_what_the_mall_sold_meanwhile_does_not_hide_that_a_number_was_applied(
    here: Town,
) -> None:
    await _count_again(here, 7)
    await here.starts()
    await eventually(lambda: _pushed(here, len(CODES)))

    await here.stalls[AMAZON].sells(ref_at(AMAZON, CODES[0]), 2)

    await here.settled(CODES[0], 5)
    assert await here.scalar("SELECT count(*) FROM sync_errors") == 0


async def _count_again(here: Town, total: int) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, CODES)
        items = [stock.NewTotal(ids[code], total) for code in CODES]
        await stock.set_totals(tx, SYSTEM, items, reflect=True, now=now())

    await here.db.run(here.account_id, work)


async def _all_show(here: Town, codes: list[str], quantity: int) -> None:
    async def so() -> bool:
        items = (await here.stalls[AMAZON].asks("GET", "state"))["items"]
        shown = {item["item_code"]: item["quantity"] for item in items}
        return all(shown[code] == quantity for code in codes)

    await eventually(so)


async def _pushed(here: Town, count: int) -> bool:
    return await here.scalar("SELECT count(*) FROM pushes WHERE state <> 'SENT'") == count
