"""What a preview said is what the malls are sent."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.previews import Preview
from domain.model.shops import SyncPart
from domain.services import full_syncs, previews, stock, switches
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, now, product_ids, ref_at, town

KINDS = (MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at every mall, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made, at_work(made.ctx):
        yield made


async def edit(here: Town, **totals: int) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, list(totals))
        items = [stock.NewTotal(ids[code], total) for code, total in totals.items()]
        await stock.set_totals(tx, SYSTEM, items, reflect=False, now=now())

    await here.db.run(here.account_id, work)


Book = Mapping[UUID, Sequence[Mapping[str, Any]]]
"""By shop: what was written on its mall's counters, oldest first, by the mall's own book."""


async def booked(here: Town) -> Book:
    return {
        stall.id: (await stall.asks("GET", "state"))["writes"] for stall in here.stalls.values()
    }


def sent(before: Mapping[str, int], book: Book) -> Mapping[UUID, tuple[int, int, int]]:
    """By shop that anything was sent to: numbers that were written, of these zeros, and raises."""
    return {
        shop_id: (
            len(writes),
            sum(each["quantity"] == 0 for each in writes),
            sum(each["quantity"] > before[each["item_code"].upper()] for each in writes),
        )
        for shop_id, writes in book.items()
        if writes
    }


def told(preview: Preview) -> Mapping[UUID, tuple[int, int, int]]:
    return {each.shop_id: (each.changed, each.to_zero, each.rising) for each in preview.shops}


async def switched(here: Town, shop_ids: Sequence[UUID] | None, *, on: bool) -> None:
    """The reflect of these shops, or the master switch."""
    switch = switches.start_sync if on else switches.stop_sync
    parts = () if shop_ids is None else (SyncPart.REFLECT,)
    await here.db.run(here.account_id, lambda tx: switch(tx, SYSTEM, shop_ids, parts, now=now()))


@pytest.mark.parametrize("kinds", [None, KINDS[:2]])
async def test_a_start_sends_what_its_preview_says(
    here: Town, kinds: Sequence[MallKind] | None
) -> None:
    """The master switch, or the reflect of two shops."""
    shown = {"MUG": 10, "TEA": 4, "JAR": 7, "POT": 2}
    await here.has(**shown)
    await here.starts()
    shop_ids = None if kinds is None else [here.stalls[kind].id for kind in kinds]
    await switched(here, shop_ids, on=False)
    await edit(here, MUG=3, TEA=0, JAR=9)
    async with here.db.transaction(here.account_id) as tx:
        preview = await previews.of_start(tx, shop_ids, (SyncPart.REFLECT,))
    await switched(here, shop_ids, on=True)

    async def all_sent() -> bool:
        waiting = "SELECT count(*) FROM listing_sync WHERE wanted > done OR push_state = 'ACCEPTED'"
        return bool(await here.scalar(waiting) == 0)

    await eventually(all_sent)
    started = [stall.id for kind, stall in here.stalls.items() if kind in (kinds or KINDS)]
    assert told(preview) == dict.fromkeys(started, (3, 1, 1))
    assert sent(shown, await booked(here)) == told(preview)


async def test_a_full_sync_sends_every_number_and_a_sale_meanwhile_still_counts(
    here: Town,
) -> None:
    await here.has(MUG=10, TEA=0, JAR=7)
    await here.starts()
    await here.settled("JAR", 7)
    rakuten = here.stalls[MallKind.RAKUTEN]
    async with here.db.transaction(here.account_id) as tx:
        preview = await previews.of_full_sync(tx, [rakuten.id])

    async def start(tx: Tx) -> UUID:
        return await full_syncs.start(tx, SYSTEM, [rakuten.id], now=now())

    job_id = await here.db.run(here.account_id, start)
    await rakuten.sells(ref_at(MallKind.RAKUTEN, "MUG"), 2)

    async def done() -> bool:
        state = await here.scalar("SELECT state FROM jobs WHERE id = :job", job=job_id)
        return bool(state == "DONE")

    await eventually(done)
    await here.settled("MUG", 8)
    assert preview.count(lambda shop: shop.listings) == 3
    written = await here.query(
        "SELECT DISTINCT listing_id FROM mall_update_logs WHERE shop_id = :shop", shop=rakuten.id
    )
    assert len(written) == 3
