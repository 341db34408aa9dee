"""What an order does here, however often, late or out of order it is told."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.model.malls import MallOrder, OrderStatus
from domain.model.sets import SetPart
from domain.services import sets
from domain.services.orders import Taken
from domain.store.database import Database, Tx
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    LONG_BEFORE,
    a_listing,
    a_shop,
    an_order,
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

SOON = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(minutes=10)


async def sales(tx: Tx) -> list[tuple[str, int]]:
    """(item code, units) of every line of the sales log, in order."""
    found = await rows(tx, "SELECT item_code, units FROM sales_logs ORDER BY id")
    return [(each["item_code"], each["units"]) for each in found]


async def test_an_order_is_taken_once_however_often_windows_overlap(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=5)
        order = an_order("1", ("tea", 2), ("mug", 1))

        first = await take(tx, shop, order, order)
        again = await take(tx, shop, order, at=SOON)

        assert (first, again) == (Taken(1, 2, 2, 3), Taken(0, 0, 0, 0))
        assert await totals(tx) == {"MUG": 4, "TEA": 3}
        assert await sales(tx) == [("mug", 1), ("tea", 2)]
        assert await lines(tx, "1") == [("tea", 2, "APPLIED"), ("mug", 1, "APPLIED")]
        assert await unbalanced(tx) == []


@pytest.mark.parametrize(
    ("case", "policy", "told", "total", "sold"),
    [
        (
            "a cancel gives nothing back by itself",
            "IGNORE",
            [(NOW, "HOLDS", 3), (SOON, "RELEASED", 3)],
            2,
            [3, -3],
        ),
        (
            "unless the shop restores",
            "RESTORE",
            [(NOW, "HOLDS", 3), (SOON, "RELEASED", 3)],
            5,
            [3, -3],
        ),
        ("a cancel that is told twice restores once", "RESTORE", [(NOW, "HOLDS", 3), (SOON, "RELEASED", 3), (LATER, "RELEASED", 3)], 5, [3, -3]),
        ("a cut is a part of a cancel", "RESTORE", [(NOW, "HOLDS", 3), (SOON, "HOLDS", 1)], 4, [3, -2]),
        ("and gives nothing back by itself", "IGNORE", [(NOW, "HOLDS", 3), (SOON, "HOLDS", 1)], 2, [3, -2]),
        ("a raise takes the rest", "IGNORE", [(NOW, "HOLDS", 1), (SOON, "HOLDS", 3)], 2, [1, 2]),
        ("first seen cancelled, it takes nothing", "IGNORE", [(NOW, "RELEASED", 3)], 5, []),
        (
            "what was seen before its cancel, told late, takes nothing",
            "RESTORE",
            [(SOON, "RELEASED", 3), (NOW, "HOLDS", 3)],
            5,
            [],
        ),
        (
            "a cancel that was taken back takes again",
            "RESTORE",
            [(NOW, "HOLDS", 3), (SOON, "RELEASED", 3), (LATER, "HOLDS", 3)],
            2,
            [3, -3, 3],
        ),
        ("shipping changes nothing", "RESTORE", [(NOW, "HOLDS", 3), (SOON, "SHIPPED", 3)], 2, [3]),
        ("an older reading never replaces a newer one", "RESTORE", [(LATER, "HOLDS", 1), (LATER, "HOLDS", 2), (SOON, "HOLDS", 3)], 3, [1, 1]),
    ],
)  # fmt: skip
async def test_what_is_told_of_an_order(
    db: Database,
    account: UUID,
    case: str,
    policy: str,
    told: list[tuple[datetime, str, int]],
    total: int,
    sold: list[int],
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy=policy)
        await in_stock(tx, shop, TEA=5)
        for at, status, units in told:
            await take(tx, shop, an_order("1", ("tea", units), status=OrderStatus(status)), at=at)

        assert await totals(tx) == {"TEA": total}, case
        assert [units for _, units in await sales(tx)] == sold
        assert await unbalanced(tx) == []


async def test_a_line_that_vanished_is_a_cut(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, TEA=5, MUG=5)
        await take(tx, shop, an_order("1", ("tea", 2), ("mug", 1)))

        await take(tx, shop, an_order("1", ("tea", 2)), at=SOON)

        assert await totals(tx) == {"MUG": 5, "TEA": 3}
        assert await lines(tx, "1") == [("tea", 2, "APPLIED"), ("mug", 0, "RELEASED")]
        assert await sales(tx) == [("mug", 1), ("tea", 2), ("mug", -1)]


async def test_lines_of_one_order_on_one_product_are_summed(db: Database, account: UUID):
    """A box of two mugs, a mug, and the mug once more."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, MUG=10)
        await imported(tx, shop, a_listing("BOX"))
        ids = await product_ids(tx)
        await sets.save_set(tx, OWNER, ids["BOX"], parts=[SetPart(ids["MUG"], 2)], now=NOW)

        await take(tx, shop, an_order("1", ("box", 1), ("mug", 1), ("mug", 1)))
        taken = await totals(tx)
        await take(tx, shop, an_order("1", ("box", 1), ("mug", 1)), at=SOON)

        assert taken == {"BOX": 0, "MUG": 6}
        assert await movements(tx, "MUG") == [
            ("COUNTED", 10, 10),
            ("ORDER", -4, 6),
            ("CANCEL", 1, 7),
        ]


async def test_a_code_keeps_the_meaning_it_had_when_it_was_sold(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, MUG=10, TEA=10)
        await imported(tx, shop, a_listing("BOX"))
        ids = await product_ids(tx)
        await sets.save_set(tx, OWNER, ids["BOX"], parts=[SetPart(ids["MUG"], 2)], now=NOW)
        await take(tx, shop, an_order("1", ("box", 2)))
        await sets.save_set(tx, OWNER, ids["BOX"], parts=[SetPart(ids["TEA"], 1)], now=NOW)

        await take(tx, shop, an_order("1", ("box", 2), status=OrderStatus.RELEASED), at=SOON)

        assert await totals(tx) == {"BOX": 0, "MUG": 10, "TEA": 10}


async def test_orders_from_before_the_shop_joined_are_seen_and_not_deducted(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE", effective_from=NOW)
        await in_stock(tx, shop, TEA=5)
        before = an_order("1", ("tea", 2), ("gone", 1), placed_at=NOW - timedelta(seconds=1))

        await take(tx, shop, before, an_order("2", ("tea", 1)))
        await take(tx, shop, an_order("1", ("tea", 2), status=OrderStatus.RELEASED), at=SOON)

        assert await totals(tx) == {"TEA": 4}
        assert await lines(tx, "2") == [("tea", 1, "APPLIED")]
        assert await errors(tx) == []


async def test_a_late_order_deducts_though_the_product_was_counted_since(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await counted(tx, SOON, TEA=8)

        await take(tx, shop, an_order("1", ("tea", 1), placed_at=NOW), at=LATER)

        assert await totals(tx) == {"TEA": 7}
        [effective] = await rows(
            tx, "SELECT effective_at FROM stock_movements WHERE cause = 'ORDER'"
        )
        assert effective["effective_at"] == NOW


async def test_what_the_mall_fulfils_takes_nothing_of_ours(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)

        await take(tx, shop, an_order("1", ("tea", 2), by_mall=True))

        assert await totals(tx) == {"TEA": 5}
        assert await lines(tx, "1") == [("tea", 2, "FULFILLED_BY_MALL")]
        assert await errors(tx) == []


async def test_an_order_that_nothing_is_linked_to_waits_and_is_told_once(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        waiting = an_order("1", ("gone", 2), ("away", 1), ("tea", 1))
        cancelled = an_order("2", ("gone", 2), status=OrderStatus.RELEASED)

        await take(tx, shop, waiting, cancelled)
        await take(tx, shop, waiting, at=SOON)

        assert await totals(tx) == {"TEA": 4}
        states = [state for _, _, state in await lines(tx, "1")]
        assert states == ["UNLINKED", "UNLINKED", "APPLIED"]
        assert await errors(tx) == [("ORDER_UNLINKED", "OPEN", 1)]
        assert await sales(tx) == [("away", 1), ("gone", 2), ("tea", 1)]

        await imported(tx, shop, a_listing("GONE"), a_listing("AWAY"))
        await take(tx, shop, waiting, at=LATER)

        assert await totals(tx) == {"AWAY": -1, "GONE": -2, "TEA": 4}
        assert {state for _, _, state in await lines(tx, "1")} == {"APPLIED"}
        assert await errors(tx) == [("ORDER_UNLINKED", "RESOLVED", 1)]


@pytest.mark.parametrize(
    ("case", "written_at", "base", "waits"),
    [
        ("sold after our write: the mall lowered it itself", LONG_BEFORE, 4, False),
        ("sold before our write, which put the unit back", NOW + timedelta(hours=1), 5, True),
        ("sold as we wrote: nobody knows", NOW, None, True),
    ],
)
async def test_a_sale_moves_what_we_believe_of_the_selling_shop(
    db: Database, account: UUID, case: str, written_at: datetime, base: int | None, waits: bool
):
    async with db.transaction(account) as tx:
        shop, other = await a_shop(tx), await a_shop(tx, "Other")
        await in_stock(tx, shop, TEA=5)
        await in_stock(tx, other, TEA=5)
        await everywhere_right(tx, written_at)

        await take(tx, shop, an_order("1", ("tea", 1)))

        sold, elsewhere = await shown(tx, shop, "tea"), await shown(tx, other, "tea")
        assert (sold.expected, sold.base, sold.waits) == (4, base, waits), case
        assert (elsewhere.expected, elsewhere.base, elsewhere.waits) == (4, 5, True)


@pytest.mark.parametrize(
    ("case", "restocks", "base"),
    [
        ("the mall puts it back on its own counter", True, 5),
        ("it does not", False, 4),
        ("nobody told us", None, None),
    ],
)
async def test_a_cancel_moves_what_we_believe_as_the_mall_does_it(
    db: Database, account: UUID, case: str, restocks: bool | None, base: int | None
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, mall_restocks=restocks)
        await in_stock(tx, shop, TEA=5)
        await take(tx, shop, an_order("1", ("tea", 1)))

        await take(tx, shop, an_order("1", ("tea", 1), status=OrderStatus.RELEASED), at=SOON)

        tea = await shown(tx, shop, "tea")
        assert (tea.expected, tea.base) == (4, base), case
        assert tea.waits == (base != 4)


async def test_a_page_is_taken_in_with_everything_it_says(db: Database, account: UUID):
    """Many orders in one page, in any order of their numbers, and an empty page."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=50, MUG=50)
        page: list[MallOrder] = [
            an_order(f"{number:03}", ("tea", 1), ("mug", 2)) for number in range(40, 0, -1)
        ]

        taken = await take(tx, shop, *page)
        nothing = await take(tx, shop)

        assert (taken, nothing) == (Taken(40, 2, 80, 120), Taken(0, 0, 0, 0))
        assert await totals(tx) == {"MUG": -30, "TEA": 10}
        assert await unbalanced(tx) == []
