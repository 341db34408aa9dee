"""利用店舗設定, and shops that are given up."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError, MallLockedOut
from domain.model.jobs import JobKind
from domain.model.malls import MallKind
from domain.model.reflect import Lane
from domain.services import (
    account_settings,
    disconnecting,
    reflect,
    settling,
    shops,
    shops_in_use,
    switches,
)
from domain.services.credentials import Vault
from domain.store import jobs, leases
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    counted,
    errors,
    imported,
    in_stock,
    lines,
    shop_of,
    shown,
    take,
    totals,
)

VAULT = Vault(b"k" * 32)
KEYS = {"service_secret": "SP-secret", "license_key": "SL-licence"}


async def switches_of(tx: Tx, shop: Shop) -> tuple[bool, bool, bool]:
    now = await shop_of(tx, shop.id)
    return now.in_use, now.orders_running, now.reflect_running


async def two_shops(tx: Tx) -> tuple[Shop, Shop]:
    """Each shows five of the same tea; the first shows two more than it should, and both run."""
    first = await a_shop(tx, orders_running=True)
    second = await a_shop(tx, "Second", orders_running=True)
    await in_stock(tx, first, TEA=5)
    await imported(tx, second, a_listing("TEA", 5))
    return first, second


async def test_a_shop_out_of_use_is_neither_read_nor_written_and_differs_from_nothing(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        first, second = await two_shops(tx)
        await counted(tx, TEA=3)
        assert (await shown(tx, first, "tea")).waits

        changed = await shops_in_use.set_shops_in_use(tx, OWNER, [second.id], now=NOW)

        assert [shop.id for shop in changed] == [first.id]
        assert await switches_of(tx, first) == (False, False, False)
        assert await switches_of(tx, second) == (True, True, True)
        tea = await shown(tx, first, "tea")
        assert (tea.waits, tea.difference) == (False, None)
        assert tea.not_pushed == ("SHOP_NOT_IN_USE", "SHOP_REFLECT_STOPPED")
        assert not (await shop_of(tx, first.id)).fetches_orders
        assert (await operations(tx))[-1] == "SET_SHOPS_IN_USE"


async def test_a_shop_that_comes_back_stands_still_until_it_is_started(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first, second = await two_shops(tx)
        await shops_in_use.set_shops_in_use(tx, OWNER, [], now=NOW)
        await counted(tx, TEA=3)

        changed = await shops_in_use.set_shops_in_use(tx, OWNER, [first.id, second.id], now=NOW)

        assert {shop.id for shop in changed} == {first.id, second.id}
        assert await switches_of(tx, first) == (True, False, False)
        tea = await shown(tx, first, "tea")
        assert (tea.waits, tea.difference) == (False, "SHOP_STOPPED")

        await switches.start_sync(tx, OWNER, [first.id], now=NOW)

        assert (await shown(tx, first, "tea")).waits


async def test_a_list_with_an_unknown_shop_changes_nothing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first, second = await two_shops(tx)
        with pytest.raises(DomainError) as refused:
            await shops_in_use.set_shops_in_use(tx, OWNER, [first.id, uuid4()], now=NOW)

        assert (refused.value.code, refused.value.field) == ("NOT_FOUND", ("shop_ids", "1"))
        assert await switches_of(tx, second) == (True, True, True)


# ── given up ──


async def connected(tx: Tx) -> Shop:
    """A running shop with secrets, that shows five of tea, whose test waits, and that halted; it names the products."""
    shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
    await switches.start_sync(tx, OWNER, None, now=NOW)
    await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
    await imported(tx, shop, a_listing("TEA", 5))
    await counted(tx, TEA=5)
    await account_settings.update_account(tx, OWNER, now=NOW, base_shop_id=shop.id)
    await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop.id, actor=OWNER)
    return shop


@pytest.mark.parametrize("delete_listings", [True, False])
async def test_a_disconnected_shop_keeps_nothing_that_speaks_to_its_mall(
    db: Database, account: UUID, delete_listings: bool
):
    async with db.transaction(account) as tx:
        shop = await connected(tx)
        await take(tx, shop, an_order("1", ("tea", 2)))
        await shops.halt(tx, shop, MallLockedOut("no"), now=NOW)

        await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=delete_listings, now=NOW)

        assert await rows(tx, "SELECT key FROM shop_credentials") == []
        assert await switches_of(tx, shop) == (False, False, False)
        assert await rows(tx, "SELECT base_shop_id FROM accounts") == [{"base_shop_id": None}]
        assert {each["state"] for each in await rows(tx, "SELECT state FROM jobs")} == {"CANCELLED"}
        assert [state for _, state, _ in await errors(tx)] == ["CLEARED"]
        tea = await shown(tx, shop, "tea")
        assert (tea.product_id, tea.link, tea.waits, tea.difference) == (
            None,
            "UNLINKED",
            False,
            None,
        )
        found = await row(tx, "SELECT deleted_at FROM listings")
        assert (found["deleted_at"] is not None) is delete_listings
        assert await totals(tx) == {"TEA": 3}
        assert await lines(tx, "1") == [("tea", 2, "APPLIED")]
        assert (await operations(tx))[-1] == "DISCONNECT_SHOP"


async def test_its_name_is_free_again_and_nothing_can_be_done_with_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await connected(tx)
        await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=True, now=NOW)

        other, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})

        assert [each.id for each in await shop_rows.every(tx)] == [other.id]
        with pytest.raises(DomainError) as gone:
            await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=True, now=NOW)
        assert gone.value.code == "NOT_FOUND"
        with pytest.raises(DomainError) as gone:
            await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        assert gone.value.code == "NOT_FOUND"


async def test_an_answer_that_comes_after_it_moves_nothing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await counted(tx, TEA=0)
        epoch = await leases.take(tx, shop.id, LeaseKind.REFLECT, "worker", timedelta(minutes=1))
        assert epoch is not None
        batch = await reflect.claim(tx, shop, epoch, at_most=10, now=NOW)
        assert batch is not None
        assert [each.lane for each in batch.attempts] == [Lane.TO_ZERO]

        await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=False, now=NOW)
        before = await rows(tx, "SELECT * FROM listing_sync")
        await settling.settle(tx, batch, MallLockedOut("no"), now=NOW)

        assert await rows(tx, "SELECT * FROM listing_sync") == before
        assert [each["push_id"] for each in before] == [None]
        assert await rows(tx, "SELECT state FROM pushes") == [{"state": "UNKNOWN"}]
        assert await rows(tx, "SELECT outcome, broken FROM sync_runs") == [
            {"outcome": "PARTIAL", "broken": True}
        ]
        assert await errors(tx) == []


async def test_an_account_has_a_hundred_shops(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        made = [
            await shop_rows.insert(tx, MallKind.RAKUTEN, f"Shop {nth}", {}, [], sandbox=True)
            for nth in range(shops.MOST_SHOPS)
        ]
        with pytest.raises(DomainError) as refused:
            await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "One more", KEYS, {})
        assert (refused.value.code, refused.value.params) == (
            "TOO_MANY",
            {"most": 100, "shops": 100},
        )

        await disconnecting.disconnect(tx, OWNER, made[0], delete_listings=True, now=NOW)
        await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "One more", KEYS, {})
