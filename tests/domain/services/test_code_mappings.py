"""別品番紐づけ: codes of a shop that stand for products' codes."""

from uuid import UUID, uuid4

import pytest

from domain.model.code_mappings import CodePair
from domain.model.errors import DomainError
from domain.services import code_mappings, links
from domain.services.code_mappings import SavedMappings
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    codes,
    errors,
    imported,
    in_stock,
    product_ids,
    shown,
    take,
    totals,
)


async def mapped(tx: Tx, shop: Shop, **lines: str) -> SavedMappings:
    pairs = [CodePair(mall, product) for mall, product in lines.items()]
    return await code_mappings.save_mappings(tx, OWNER, shop.id, pairs, [], now=NOW)


async def unlinked(tx: Tx, shop: Shop, *codes: str) -> None:
    await imported(tx, shop, *(a_listing(code, 9) for code in codes), create_products=False)


async def table(tx: Tx) -> dict[str, str]:
    found = await rows(tx, "SELECT mall_code, product_code FROM code_mappings ORDER BY mall_code")
    return {each["mall_code"]: each["product_code"] for each in found}


async def test_a_line_links_what_waits_and_takes_in_its_orders(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        other = await a_shop(tx, "Second", orders_running=True)
        await unlinked(tx, other, "T-1", "T-2")
        await take(tx, other, an_order("1", ("t-1", 2)))

        saved = await mapped(tx, other, **{"T-1": "TEA"})

        first, second = await shown(tx, other, "t-1"), await shown(tx, other, "t-2")
        assert saved.listing_ids == (first.listing_id,)
        assert (first.product_id, first.link) == ((await product_ids(tx))["TEA"], "LINKED")
        assert second.link == "UNLINKED"
        reason = await row(
            tx, "SELECT reason FROM links WHERE listing_id = :id", id=first.listing_id
        )
        assert reason == {"reason": "CODE_MAPPING"}
        assert await totals(tx) == {"TEA": 3}
        assert (await operations(tx))[-1] == "SAVE_CODE_MAPPINGS"


async def test_what_is_linked_or_was_unlinked_by_hand_stays(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=2)
        ids = await product_ids(tx)
        mug = await shown(tx, shop, "mug")
        await links.unlink(tx, OWNER, [mug.listing_id], now=NOW)

        saved = await mapped(tx, shop, TEA="MUG", MUG="TEA")

        assert saved.listing_ids == ()
        assert (await shown(tx, shop, "tea")).product_id == ids["TEA"]
        assert (await shown(tx, shop, "mug")).link == "UNLINKED_BY_HAND"


async def test_an_import_links_by_the_table_before_it_links_by_equal_code(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=2)
        other = await a_shop(tx, "Second")
        saved = await mapped(tx, other, TEA="MUG", NEW="POT")

        result = await imported(tx, other, a_listing("TEA", 1), a_listing("NEW", 1))

        ids = await product_ids(tx)
        assert saved.listing_ids == ()
        assert (result.linked, result.products_created, sorted(ids)) == (
            2,
            1,
            ["MUG", "POT", "TEA"],
        )
        assert (await shown(tx, other, "tea")).product_id == ids["MUG"]
        assert (await shown(tx, other, "new")).product_id == ids["POT"]
        assert await table(tx) == {"NEW": "POT", "TEA": "MUG"}


async def test_two_codes_of_a_shop_for_one_product_contradict_each_other(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await unlinked(tx, shop, "T-1")

        await mapped(tx, shop, **{"T-1": "TEA"})

        assert (await shown(tx, shop, "tea")).link == "CONFLICT"
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "OPEN", 1)]


async def test_lines_are_changed_and_deleted_and_their_links_stay(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        other = await a_shop(tx, "Second")
        await unlinked(tx, other, "T-1")
        [first] = (await mapped(tx, other, **{"T-1": "TEA"})).ids
        [again] = (await mapped(tx, other, **{"T-1": "MUG"})).ids

        done = await code_mappings.save_mappings(tx, OWNER, other.id, [], [first, uuid4()], now=NOW)

        assert again == first
        assert (done.deleted, codes(done.refused)) == ((first,), ["NOT_FOUND"])
        assert await table(tx) == {}
        assert (await shown(tx, other, "t-1")).link == "LINKED"


async def test_a_line_of_another_shop_is_not_deleted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, other = await a_shop(tx), await a_shop(tx, "Second")
        [line] = (await mapped(tx, shop, A="B")).ids

        done = await code_mappings.save_mappings(tx, OWNER, other.id, [], [line], now=NOW)

        assert (done.deleted, codes(done.refused)) == ((), ["NOT_FOUND"])
        assert await table(tx) == {"A": "B"}


@pytest.mark.parametrize(
    ("pairs", "code", "field"),
    [
        ([CodePair(" ", "TEA")], "REQUIRED", ("save", "0", "mall_code")),
        ([CodePair("A", "")], "REQUIRED", ("save", "0", "product_code")),
        ([CodePair("A", "x" * 256)], "INVALID_VALUE", ("save", "0", "product_code")),
        (
            [CodePair("A", "B"), CodePair(" A", "C")],
            "INVALID_VALUE",
            ("save", "1", "mall_code"),
        ),
    ],
)
async def test_a_line_that_says_nothing_is_refused(
    db: Database, account: UUID, pairs: list[CodePair], code: str, field: tuple[str, ...]
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        with pytest.raises(DomainError) as refused:
            await code_mappings.save_mappings(tx, OWNER, shop.id, pairs, [], now=NOW)

        assert (refused.value.code, refused.value.field) == (code, field)
        assert await table(tx) == {}
