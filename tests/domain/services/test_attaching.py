"""一括更新: products that a shop is to list, without any file of its mall (A4.17)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.malls import MallKind
from domain.model.sets import SetPart
from domain.services import attaching, listings, products, sets
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    codes,
    imported,
    in_stock,
    product_ids,
    shown,
    take,
    totals,
)

YAHOO = MallKind.YAHOO_SHOPPING


async def a_shop_without(tx: Tx, **stock: int) -> Shop:
    """A Yahoo shop that lists none of these products, which Rakuten lists."""
    await in_stock(tx, await a_shop(tx), **stock)
    return await a_shop(tx, "Yahoo", mall=YAHOO, orders_running=True)


async def attach(tx: Tx, shop: Shop, *product_ids: UUID) -> Any:
    return await attaching.attach(tx, OWNER, shop.id, product_ids, now=NOW)


async def test_a_product_is_listed_by_its_code_and_waits_to_be_reflected(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5)
        ids = await product_ids(tx)

        done = await attach(tx, shop, ids["TEA"])

        tea = await shown(tx, shop, "TEA")
        assert (done.listing_ids, done.refused) == ((tea.listing_id,), ())
        assert (tea.product_id, tea.link, tea.expected, tea.base) == (ids["TEA"], "LINKED", 5, None)
        assert (tea.waits, tea.edited) == (False, True)
        found = await row(
            tx,
            "SELECT match_code, keys, sync FROM listings WHERE id = :id",
            id=tea.listing_id,
        )
        assert found == {"match_code": "TEA", "keys": {"sub-code": "TEA"}, "sync": True}
        assert (await operations(tx))[-1] == "ATTACH_LISTINGS"

        await take(tx, shop, an_order("1", ("TEA", 2)))

        assert await totals(tx) == {"TEA": 3}


async def test_the_tick_of_what_is_attached_is_as_the_account_says(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5)
        await rows(tx, "UPDATE accounts SET sync_new_listings = false RETURNING id")
        await attach(tx, shop, (await product_ids(tx))["TEA"])
        assert (await shown(tx, shop, "TEA")).not_pushed == ("LISTING_SYNC_OFF",)


async def test_products_are_refused_one_by_one(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5, MUG=2, POT=1)
        await imported(tx, shop, a_listing("TEA", ref="other"), create_products=False)
        await imported(tx, shop, a_listing("?", ref="MUG"), create_products=False)
        cup = await products.create(tx, "カップ", "")
        ids = await product_ids(tx)

        done = await attach(tx, shop, uuid4(), ids["TEA"], ids["MUG"], cup, ids["POT"])

        assert codes(done.refused) == ["NOT_FOUND", "CODE_TAKEN", "CODE_TAKEN", "INVALID_VALUE"]
        assert done.listing_ids == ((await shown(tx, shop, "POT")).listing_id,)
        assert (await shown(tx, shop, "MUG")).link == "UNLINKED"


async def test_attaching_twice_makes_no_second_page(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await attach(tx, shop, tea)

        again = await attach(tx, shop, tea)

        assert (again.listing_ids, codes(again.refused)) == ((), ["CODE_TAKEN"])


async def test_a_deleted_listing_comes_back(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        [first] = (await attach(tx, shop, tea)).listing_ids
        await listings.delete_listings(tx, OWNER, [first], now=NOW)

        again = await attach(tx, shop, tea)

        assert again.listing_ids == (first,)
        assert (await shown(tx, shop, "TEA")).link == "LINKED"


async def test_a_set_is_attached_too(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop_without(tx, TEA=5)
        parts = [SetPart((await product_ids(tx))["TEA"], 2)]
        box = await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)

        await attach(tx, shop, box.id)

        assert (await shown(tx, shop, "BOX")).expected == 2


async def test_where_a_page_has_other_codes_nothing_is_attached(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        other = await a_shop(tx, "Second")
        with pytest.raises(DomainError) as refused:
            await attach(tx, other, (await product_ids(tx))["TEA"])
        assert refused.value.code == "NOT_SUPPORTED_BY_MALL"
        with pytest.raises(DomainError) as refused:
            await attaching.attach(tx, OWNER, uuid4(), [], now=NOW)
        assert refused.value.code == "NOT_FOUND"
