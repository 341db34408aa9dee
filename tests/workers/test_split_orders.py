"""注文分割: a store splits an order at the mall; what was sold once is counted once."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.services import shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, ref_at, town

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
MUG = ref_at(YAHOO, "MUG")


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at two malls, and a worker that goes by its clock alone."""
    async with town(db, malls, RAKUTEN, YAHOO) as made:
        await made.has(MUG=10)
        async with at_work(made.ctx):
            yield made


async def gives_back(here: Town, policy: CancelPolicy) -> None:
    change = ShopChange(cancel_policy=policy)
    yahoo = here.stalls[YAHOO].id
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, yahoo, change)
    )


async def splits(here: Town, number: str, units: int = 1) -> str:
    """The new order's number, once it was seen here."""
    moved = {"number": number, "item_code": MUG.item_code, "by": units}
    told = await here.stalls[YAHOO].asks("POST", "split", **moved)
    child = str(told["child"]["number"])
    await eventually(lambda: is_known(here, child))
    return child


async def is_known(here: Town, number: str) -> bool:
    return bool(await here.scalar("SELECT 1 FROM orders WHERE number = :number", number=number))


async def moved(here: Town) -> list[tuple[str, int]]:
    found = "SELECT cause, delta FROM stock_movements WHERE order_id IS NOT NULL ORDER BY id"
    return [(each.cause, each.delta) for each in await here.query(found)]


@pytest.mark.parametrize("policy", CancelPolicy)
async def test_its_units_are_taken_once(here: Town, policy: CancelPolicy) -> None:
    await gives_back(here, policy)
    await here.starts()
    number = await here.stalls[YAHOO].sells(MUG, 3)
    await here.settled("MUG", 7)

    child = await splits(here, number)
    await splits(here, number)

    await here.settled("MUG", 7)
    assert await here.total("MUG") == 7
    assert await moved(here) == [("ORDER", -3)]
    assert await here.scalar("SELECT count(*) FROM order_lines l JOIN orders o ON o.id = l.order_id"
                             " WHERE o.number = :number", number=child) == 0  # fmt: skip


async def test_a_part_that_is_listed_before_the_first_is_taken_once(here: Town) -> None:
    await here.starts()
    await here.stalls[YAHOO].goes_wrong("late_orders", seconds=2)
    number = await here.stalls[YAHOO].sells(MUG, 3)

    await splits(here, number, 2)

    await here.settled("MUG", 7)
    assert await moved(here) == [("ORDER", -3)]


async def test_a_part_that_is_cancelled_gives_back_its_own_units(here: Town) -> None:
    await gives_back(here, CancelPolicy.RESTORE)
    await here.starts()
    number = await here.stalls[YAHOO].sells(MUG, 3)
    await here.settled("MUG", 7)
    child = await splits(here, number)

    await here.stalls[YAHOO].asks("POST", "cancel", number=child)

    await here.settled("MUG", 8)
    assert await moved(here) == [("ORDER", -3), ("CANCEL", 1)]
