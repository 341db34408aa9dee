"""What an import makes of a shop's listings, and how they are taken out again."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.malls import ItemRef, MallKind, MallListing, MallTime
from domain.services import listing_edits, listings, products
from domain.store import shops
from domain.store.database import Database
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    LONG_BEFORE,
    a_listing,
    a_shop,
    codes,
    errors,
    everywhere_right,
    imported,
    in_stock,
    movements,
    product_ids,
    shop_of,
    shown,
    totals,
)


async def test_new_codes_become_products_at_zero_that_nothing_sends(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await rows(tx, "UPDATE accounts SET reflect_edits = 'AT_ONCE' RETURNING id")

        result = await imported(tx, shop, a_listing("TEA", 7), a_listing("", 3, ref="bare"))

        assert (result.created, result.linked, result.products_created) == (2, 1, 1)
        assert await totals(tx) == {"TEA": 0}
        assert await movements(tx, "TEA") == []
        tea = await shown(tx, shop, "tea")
        assert (tea.expected, tea.base, tea.waits, tea.edited) == (0, 7, False, True)
        bare = await shown(tx, shop, "bare")
        assert (bare.link, bare.base, bare.not_pushed) == ("UNLINKED", 3, ("UNLINKED",))


async def test_importing_again_never_makes_a_second_row(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=2)

        again = await imported(tx, shop, a_listing("TEA"), a_listing("MUG"))
        renamed = await imported(tx, shop, a_listing("TEA", name="Green tea"), a_listing("MUG"))
        twice = await imported(
            tx, shop, a_listing("TEA", name="First"), a_listing("TEA", name="Last")
        )

        assert (again.created, again.updated, again.linked) == (0, 0, 0)
        assert (renamed.created, renamed.updated) == (0, 1)
        assert (twice.created, twice.updated) == (0, 1)
        found = await rows(tx, "SELECT item_code, name, folded FROM listings ORDER BY item_code")
        assert found == [
            {"item_code": "mug", "name": "MUG of the mall", "folded": "mug mug mug of the mall"},
            {"item_code": "tea", "name": "Last", "folded": "tea tea last"},
        ]
        assert await totals(tx) == {"MUG": 2, "TEA": 5}


async def test_a_file_that_leaves_something_out_takes_nothing_away(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        full = MallListing(
            ItemRef("tea"),
            "Tea",
            {"merchantDefinedSkuId": "TEA", "itemNumber": "9"},
            5,
            fields={"a": "before", "c": "stays"},
        )
        await imported(tx, shop, full)

        await imported(
            tx, shop, MallListing(ItemRef("tea"), quantity=4, fields={"a": "theirs", "b": "new"})
        )

        kept = await row(tx, "SELECT name, match_code, keys, fields, folded FROM listings")
        assert kept == {
            "name": "Tea",
            "match_code": "TEA",
            "keys": {"merchantDefinedSkuId": "TEA", "itemNumber": "9"},
            "fields": {"a": "theirs", "b": "new", "c": "stays"},
            "folded": "tea tea tea",
        }


@pytest.mark.parametrize(
    ("case", "shows", "base", "difference"),
    [
        ("the mall shows what it should", 5, 5, None),
        ("a file of unknown age that says otherwise leaves nothing known", 7, None, "UNKNOWN"),
        ("a file without a quantity says nothing", None, 5, None),
    ],
)
async def test_what_the_mall_shows_is_noted_and_never_the_total(
    db: Database,
    account: UUID,
    case: str,
    shows: int | None,
    base: int | None,
    difference: str | None,
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)

        await imported(tx, shop, a_listing("TEA", shows))

        tea = await shown(tx, shop, "tea")
        assert (tea.base, tea.difference, tea.waits) == (base, difference, False), case
        assert await totals(tx) == {"TEA": 5}


async def test_a_quantity_of_a_known_moment_is_a_difference_that_says_where_it_comes_from(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        seen_at = MallTime(NOW - timedelta(minutes=1), NOW)

        await listings.import_listings(
            tx,
            OWNER,
            shop,
            [a_listing("TEA", 7)],
            seen_at=seen_at,
            create_products=False,
            link=True,
            now=NOW,
        )

        tea = await shown(tx, shop, "tea")
        assert (tea.base, tea.difference, tea.waits) == (7, "IMPORTED_DIFFERENT", False)


@pytest.mark.parametrize(
    ("case", "match_key", "code"),
    [
        ("the mall's usual column", [], "TEA"),
        ("another column", ["itemNumber"], "9"),
        ("several columns", ["itemNumber", "merchantDefinedSkuId"], "9:TEA"),
        ("several, of which one is empty", ["itemNumber", "variantId"], ""),
    ],
)
async def test_the_shop_says_which_columns_make_the_code(
    db: Database, account: UUID, case: str, match_key: list[str], code: str
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, match_key=match_key)
        listing = MallListing(
            ItemRef("tea"), "Tea", {"merchantDefinedSkuId": "TEA", "itemNumber": "9"}
        )

        await imported(tx, shop, listing)

        assert await rows(tx, "SELECT match_code FROM listings") == [{"match_code": code}], case
        assert list(await totals(tx)) == ([code] if code else [])


async def test_the_plan_refuses_what_is_above_it_and_takes_it_in_when_there_is_room(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await rows(tx, "UPDATE accounts SET product_limit = 2 RETURNING id")
        found = [a_listing(code, 1) for code in ("C", "A", "B")]

        first = await imported(tx, shop, *found)

        assert (first.created, first.linked, first.products_created, first.above_limit) == (
            3,
            2,
            2,
            1,
        )
        assert list(await totals(tx)) == ["A", "C"]
        assert (await shown(tx, shop, "b")).link == "UNLINKED"

        await rows(tx, "UPDATE accounts SET product_limit = NULL RETURNING id")
        second = await imported(tx, shop, *found)

        assert (second.linked, second.products_created, second.above_limit) == (1, 1, 0)


async def test_two_codes_alike_in_one_shop_contradict_each_other(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)

        result = await imported(tx, shop, a_listing("TEA", 1), a_listing("TEA", 1, ref="tea2"))
        again = await imported(tx, shop, a_listing("TEA", 1), a_listing("TEA", 1, ref="tea2"))

        assert (result.linked, result.conflicts, result.products_created) == (2, 2, 1)
        assert (again.linked, again.conflicts) == (0, 0)
        assert [(await shown(tx, shop, ref)).link for ref in ("tea", "tea2")] == ["CONFLICT"] * 2
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "OPEN", 1)]


async def test_the_base_shop_names_the_products(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first, base = await a_shop(tx), await a_shop(tx, "Base", MallKind.AMAZON)
        await rows(tx, "UPDATE accounts SET base_shop_id = :base RETURNING id", base=base.id)
        await imported(tx, first, a_listing("TEA", name="First"), a_listing("MUG", name="First"))
        mug = (await product_ids(tx))["MUG"]
        await products.save_product(tx, OWNER, mug, name="By hand", now=NOW)

        await imported(tx, base, a_listing("TEA", name="Ｂａｓｅ"), a_listing("MUG", name="Base"))
        await imported(tx, first, a_listing("TEA", name="Later"), a_listing("MUG", name="Later"))

        found = await rows(tx, "SELECT name, folded FROM products ORDER BY code")
        assert found == [
            {"name": "By hand", "folded": "mug by hand"},
            {"name": "Ｂａｓｅ", "folded": "tea base"},
        ]


async def test_a_deleted_listing_comes_back_with_the_next_file(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        listing_id = (await shown(tx, shop, "tea")).listing_id

        change = await listings.delete_listings(tx, OWNER, [listing_id, uuid4()], now=NOW)
        gone = await shown(tx, shop, "tea")
        result = await imported(tx, shop, a_listing("TEA", 5))

        assert (change.listing_ids, codes(change.refused)) == ((listing_id,), ["NOT_FOUND"])
        assert (gone.link, gone.expected, gone.difference) == ("UNLINKED", None, None)
        assert (result.created, result.updated, result.linked) == (0, 1, 1)
        back = await shown(tx, shop, "tea")
        assert (back.listing_id, back.link, back.expected) == (listing_id, "LINKED", 5)


async def test_deleting_one_of_two_settles_their_conflict(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await imported(tx, shop, a_listing("TEA", 1), a_listing("TEA", 1, ref="tea2"))

        await listings.delete_listings(
            tx, OWNER, [(await shown(tx, shop, "tea2")).listing_id], now=NOW
        )

        assert (await shown(tx, shop, "tea")).link == "LINKED"
        assert await errors(tx) == [("MULTIPLE_LISTINGS", "RESOLVED", 1)]


async def test_limits_are_edits(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=20)
        tea = (await shown(tx, shop, "tea")).listing_id

        change = await listing_edits.set_limits(
            tx, OWNER, [tea, uuid4()], minimum=10, maximum=3, expected_version=1, now=NOW
        )
        capped = await shown(tx, shop, "tea")
        await listing_edits.set_limits(tx, OWNER, [tea], maximum=None, reflect=True, now=NOW)
        open_ended = await shown(tx, shop, "tea")

        assert (change.listing_ids, codes(change.refused)) == ((tea,), ["NOT_FOUND"])
        assert (capped.expected, capped.edited, capped.waits) == (3, True, False)
        assert (open_ended.expected, open_ended.edited) == (20, False)
        facts = await row(
            tx, "SELECT facts FROM operation_logs WHERE action = 'SET_LIMITS' ORDER BY id LIMIT 1"
        )
        none = {"minimum": None, "maximum": None}
        assert facts["facts"] == {"before": none, "after": {"minimum": 10, "maximum": 3}}


async def test_the_tick_only_decides_pushing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        tea = (await shown(tx, shop, "tea")).listing_id

        await listing_edits.set_sync(tx, OWNER, [tea], on=False, now=NOW)
        off = await shown(tx, shop, "tea")
        await listing_edits.set_sync(tx, OWNER, [tea], on=True, reflect=True, now=NOW)
        on = await shown(tx, shop, "tea")

        assert (off.not_pushed, off.expected) == (("LISTING_SYNC_OFF",), 5)
        assert (on.not_pushed, on.waits) == ((), True)


async def test_many_listings_are_a_few_statements(db: Database, account: UUID):
    """Two parts of a file: every row is linked and its quantity noted."""
    found = [a_listing(f"SKU-{number:05}", number % 9) for number in range(6_000)]
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        result = await imported(tx, shop, *found)
        counted = await row(
            tx,
            """
            SELECT count(*) AS listings, sum(s.base) AS shown, count(*) FILTER (WHERE s.edited) AS edited
            FROM links k JOIN listing_sync s ON s.listing_id = k.listing_id WHERE k.state = 'LINKED'
            """,
        )
    assert (result.created, result.linked, result.products_created) == (6_000, 6_000, 6_000)
    shows = [number % 9 for number in range(6_000)]
    assert counted == {"listings": 6_000, "shown": sum(shows), "edited": 6_000 - shows.count(0)}


async def test_another_account_sees_nothing_of_it(
    db: Database, account: UUID, another_account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        tea = (await shown(tx, shop, "tea")).listing_id
    async with db.transaction(another_account) as tx:
        change = await listings.delete_listings(tx, OWNER, [tea], now=NOW)
        assert (change.listing_ids, codes(change.refused)) == ((), ["NOT_FOUND"])
        assert await shops.get(tx, shop.id) is None
    async with db.transaction(account) as tx:
        await everywhere_right(tx, LONG_BEFORE)
        assert (await shown(tx, await shop_of(tx, shop.id), "tea")).expected == 5
