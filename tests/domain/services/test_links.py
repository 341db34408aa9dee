"""Linking listings, taking them apart, and two listings of a shop on one product."""

from datetime import timedelta
from uuid import UUID, uuid4

from domain.model.sync_errors import SyncErrorKind
from domain.services import links, sync_errors
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    codes,
    counted,
    errors,
    everywhere_right,
    imported,
    in_stock,
    lines,
    movements,
    product_ids,
    shown,
    take,
    totals,
)


async def tea_twice(tx: Tx) -> Shop:
    """One product of five, listed as tea; a second page of the same shop shows eight and is linked to nothing."""
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=5)
    await imported(tx, shop, a_listing("TEA-PAGE-2", 8, ref="tea2"), create_products=False)
    return shop


async def test_a_linked_listing_shows_the_product_once_someone_reflects(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        other = await a_shop(tx, "Second")
        await in_stock(tx, shop, TEA=5)
        await imported(tx, other, a_listing("?", 8, ref="tea"), create_products=False)
        before = await shown(tx, other, "tea")
        pair = (before.listing_id, (await product_ids(tx))["TEA"])

        change = await links.link(tx, OWNER, [pair], now=NOW)
        after = await shown(tx, other, "tea")

        assert (before.expected, before.not_pushed) == (None, ("UNLINKED",))
        assert (change.listing_ids, change.refused, change.job_id) == ((pair[0],), (), None)
        assert (after.product_id, after.link, after.expected) == (pair[1], "LINKED", 5)
        assert (after.edited, after.waits, after.difference) == (True, False, "EDIT_NOT_REFLECTED")

        change = await links.link(tx, OWNER, [pair], reflect=True, now=NOW)

        assert change.job_id is not None
        assert (await shown(tx, other, "tea")).waits


async def test_pairs_are_refused_one_by_one(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        await in_stock(tx, shop, MUG=1)
        page = (await shown(tx, shop, "tea2")).listing_id
        ids = await product_ids(tx)
        pairs = [(uuid4(), ids["TEA"]), (page, uuid4()), (page, ids["MUG"]), (page, ids["TEA"])]

        change = await links.link(tx, OWNER, pairs, now=NOW)

        assert codes(change.refused) == ["NOT_FOUND", "NOT_FOUND", "INVALID_VALUE"]
        fields = [each.error.field for each in change.refused]
        assert fields == [("pairs", "0", "listingId"), ("pairs", "1", "productId"), ("pairs", "3")]
        assert (await shown(tx, shop, "tea2")).product_id == ids["MUG"]


async def test_two_listings_of_a_shop_on_one_product_are_never_raised(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        tea = (await product_ids(tx))["TEA"]
        page = (await shown(tx, shop, "tea2")).listing_id

        await links.link(tx, OWNER, [(page, tea)], reflect=True, now=NOW)
        both = [await shown(tx, shop, ref) for ref in ("tea", "tea2")]

        assert [each.link for each in both] == ["CONFLICT", "CONFLICT"]
        assert [each.waits for each in both] == [False, True]
        assert both[0].not_pushed == ("LINK_CONFLICT",)
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "OPEN", 1)]
        hit = await rows(tx, "SELECT listing_id FROM sync_error_listings")
        assert {each["listing_id"] for each in hit} == {each.listing_id for each in both}

        await take(tx, shop, an_order("1", ("tea2", 2)))

        assert await totals(tx) == {"TEA": 3}
        assert (await shown(tx, shop, "tea")).waits


async def test_unlinking_one_settles_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        tea = (await product_ids(tx))["TEA"]
        page = (await shown(tx, shop, "tea2")).listing_id
        await links.link(tx, OWNER, [(page, tea)], now=NOW)

        change = await links.unlink(tx, OWNER, [page, uuid4()], now=NOW)

        assert (change.listing_ids, codes(change.refused)) == ((page,), ["NOT_FOUND"])
        assert (await shown(tx, shop, "tea")).link == "LINKED"
        left = await shown(tx, shop, "tea2")
        assert (left.link, left.product_id, left.expected) == ("UNLINKED_BY_HAND", None, None)
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "RESOLVED", 1)]


async def test_saying_that_a_page_is_a_copy_settles_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        pair = ((await shown(tx, shop, "tea2")).listing_id, (await product_ids(tx))["TEA"])
        await links.link(tx, OWNER, [pair], now=NOW)

        await links.link(tx, OWNER, [pair], copy_page=True, reflect=True, now=NOW)

        both = [await shown(tx, shop, ref) for ref in ("tea", "tea2")]
        assert [(each.link, each.expected) for each in both] == [("LINKED", 5), ("LINKED", 5)]
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "RESOLVED", 1)]


async def test_moving_one_elsewhere_settles_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        await in_stock(tx, shop, MUG=1)
        ids = await product_ids(tx)
        first, page = [(await shown(tx, shop, ref)).listing_id for ref in ("tea", "tea2")]
        await links.link(tx, OWNER, [(page, ids["TEA"])], now=NOW)

        change = await links.link(tx, OWNER, [(first, ids["MUG"])], now=NOW)

        assert change.products == {ids["TEA"], ids["MUG"]}
        assert (await shown(tx, shop, "tea2")).link == "LINKED"
        assert (await shown(tx, shop, "tea")).link == "CONFLICT"
        states = [state for _, state, _ in await errors(tx)]
        assert states == ["OPEN"]

        await links.unlink(tx, OWNER, [first], now=NOW)

        assert [state for _, state, _ in await errors(tx)] == ["RESOLVED"]


async def test_an_unlinked_listing_stays_so_at_the_next_import(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await links.unlink(tx, OWNER, [(await shown(tx, shop, "tea")).listing_id], now=NOW)

        result = await imported(tx, shop, a_listing("TEA", 7))

        assert (result.linked, result.products_created) == (0, 0)
        after = await shown(tx, shop, "tea")
        assert (after.link, after.base) == ("UNLINKED_BY_HAND", None)


async def test_orders_that_waited_for_a_link_are_taken_in(db: Database, account: UUID):
    """Those from before the product's last count were counted with it."""
    async with db.transaction(account) as tx:
        shop = await tea_twice(tx)
        await counted(tx, NOW, TEA=5)
        before = an_order("1", ("tea2", 2), placed_at=NOW - timedelta(minutes=1))
        after = an_order("2", ("tea2", 1), ("gone", 1), placed_at=NOW + timedelta(minutes=1))
        await take(tx, shop, before, after)
        told = await errors(tx)
        await everywhere_right(tx)
        page = (await shown(tx, shop, "tea2")).listing_id

        await links.link(
            tx, OWNER, [(page, (await product_ids(tx))["TEA"])], copy_page=True, now=NOW
        )

        assert told == [("ORDER_UNLINKED", "OPEN", 2)]
        assert await movements(tx, "TEA") == [("COUNTED", 5, 5), ("ORDER", -1, 4)]
        assert await lines(tx, "1") == [("tea2", 2, "COUNTED_BEFORE")]
        assert await lines(tx, "2") == [("tea2", 1, "APPLIED"), ("gone", 1, "UNLINKED")]
        assert (await shown(tx, shop, "tea")).waits
        assert await errors(tx) == [("ORDER_UNLINKED", "OPEN", 2)]

        await imported(tx, shop, a_listing("GONE"))

        assert await totals(tx) == {"GONE": -1, "TEA": 4}
        assert await errors(tx) == [("ORDER_UNLINKED", "RESOLVED", 2)]


async def test_what_an_unlinked_listing_had_wrong_is_no_matter_any_more(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        listing_id = (await shown(tx, shop, "tea")).listing_id
        await _refused_by_the_mall(tx, shop, listing_id)

        await links.unlink(tx, OWNER, [listing_id], now=NOW)

        assert await errors(tx) == [("ITEM_REFUSED", "RESOLVED", 1)]


async def _refused_by_the_mall(tx: Tx, shop: Shop, listing_id: UUID) -> None:
    await sync_errors.report(
        tx,
        SyncErrorKind.ITEM_REFUSED,
        shop_id=shop.id,
        shop_name=shop.name,
        listing_ids=[listing_id],
        now=NOW,
    )
