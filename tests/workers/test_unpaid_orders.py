"""未入金・保留: orders that nobody has paid yet hold stock at the malls, and so they do here, until the mall lets go of them."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.services import shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from tests.workers.town import Town, at_work, named, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
UNPAID = [
    (RAKUTEN, "100", "to be confirmed"),
    (RAKUTEN, "200", "its payment is looked at by Rakuten"),
    (RAKUTEN, "800", "a cancel waits to be confirmed"),
    (YAHOO, "0", "unpaid"),
    (YAHOO, "1", "reserved"),
    (YAHOO, "3", "on hold"),
    (AMAZON, "PENDING", "its payment is not through"),
]


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at three malls whose cancels give back, and a worker that goes by its clock alone."""
    async with town(db, malls, RAKUTEN, YAHOO, AMAZON) as made:
        await made.has(MUG=10)
        for kind in made.stalls:
            await gives_back(made, kind)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def gives_back(here: Town, kind: MallKind) -> None:
    change = ShopChange(cancel_policy=CancelPolicy.RESTORE)
    shop_id = here.stalls[kind].id
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, shop_id, change)
    )


@pytest.mark.parametrize(("kind", "status", "case"), UNPAID)
async def test_it_holds_stock_until_it_is_cancelled(
    here: Town, kind: MallKind, status: str, case: str
) -> None:
    lines = [named(ref_at(kind, "MUG")) | {"quantity": 3}]
    bought = await here.stalls[kind].asks("POST", "purchase", lines=lines, status=status)

    await here.settled("MUG", 7)
    states = "SELECT o.status, l.state FROM orders o JOIN order_lines l ON l.order_id = o.id"
    assert await here.query(states) == [("HOLDS", "APPLIED")], case

    await here.stalls[kind].asks("POST", "cancel", number=bought["number"], restock=True)

    await here.settled("MUG", 10)
    assert await here.query(states) == [("RELEASED", "RELEASED")], case
