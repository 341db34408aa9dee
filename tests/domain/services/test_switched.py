"""The master switch above those of each shop: what goes in and out under every combination of them (A1.15, A1.16)."""

from itertools import product
from uuid import UUID

import pytest

from domain.model.diff import NotPushed
from domain.services import polling, stock
from domain.services.stock import NewTotal
from domain.store import accounts, shops
from domain.store.database import Database, Tx
from domain.store.dispatch import due
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER
from tests.domain.services.story import a_shop, in_stock, product_ids, shop_of, shown
from tests.domain.services.turns import SOON, claimed, lease_of, numbers

ON_OR_OFF = (True, False)
COMBINATIONS = list(product(ON_OR_OFF, repeat=4))
"""Master, in use, orders, reflect."""


async def a_shop_that_is(
    tx: Tx, *, master: bool, in_use: bool, orders: bool, reflect: bool
) -> Shop:
    """It shows five teas, and should show three; its orders are as fresh as they need be."""
    shop = await a_shop(tx, watermark=NOW, effective_from=NOW, orders_seen_at=SOON)
    await in_stock(tx, shop, TEA=5)
    switched = {"in_use": in_use, "orders_running": orders, "reflect_running": reflect}
    await shops.change(tx, shop.id, next_order_poll_at=NOW, **switched)
    await accounts.switch(tx, running=master)
    tea = (await product_ids(tx))["TEA"]
    await stock.set_totals(tx, OWNER, [NewTotal(tea, 3)], reflect=True, now=NOW)
    return await shop_of(tx, shop.id)


@pytest.mark.parametrize(("master", "in_use", "orders", "reflect"), COMBINATIONS)
async def test_both_switches_are_needed(
    db: Database, account: UUID, master: bool, in_use: bool, orders: bool, reflect: bool
):
    """What a clock finds to do, what an importer and a pusher may do when they come anyway, and what is said of it."""
    goes_in, goes_out = master and in_use and orders, master and in_use and reflect
    async with db.transaction(account) as tx:
        shop = await a_shop_that_is(
            tx, master=master, in_use=in_use, orders=orders, reflect=reflect
        )
    found = {
        each.work for each in await due(db, at=SOON, at_most=100_000) if each.shop_id == shop.id
    }
    async with db.transaction(account) as tx:
        batch = await claimed(tx, shop, await lease_of(tx, shop))
        poll = await polling.begin(tx, shop.id, "test", now=SOON)
        tea = await shown(tx, shop, "tea")

    reasons = {
        NotPushed.MASTER_STOPPED: not master,
        NotPushed.SHOP_NOT_IN_USE: not in_use,
        NotPushed.SHOP_REFLECT_STOPPED: not reflect,
    }
    assert found == {w for w, goes in {"ORDERS": goes_in, "REFLECT": goes_out}.items() if goes}
    assert (poll is not None, numbers(batch)) == (goes_in, [3] if goes_out else [])
    assert tea.not_pushed == tuple(reason.value for reason, holds in reasons.items() if holds)
    assert (tea.expected, tea.base) == (3, 5)
    assert tea.difference == (None if goes_out or not in_use else "SHOP_STOPPED")
