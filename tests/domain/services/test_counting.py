"""Totals as they were counted: what lies on the shelf, what is free, and orders that come before, between and after."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.malls import OrderStatus
from domain.model.orders import CancelPolicy
from domain.model.sets import SetPart
from domain.model.stock import AdjustReason, CountBasis, CountSum
from domain.services import counting, links, sets, stock
from domain.services.counting import Counted
from domain.services.stock import Adjustment, NewTotal
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, operations, row
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    imported,
    in_stock,
    lines,
    movements,
    product_ids,
    shown,
    someone_waits,
    take,
    totals,
)

ON_SHELF, FREE = CountBasis.ON_SHELF, CountBasis.FREE
LATER = NOW + timedelta(hours=1)


def at(minutes: int) -> datetime:
    """So many minutes before the count, above 0: after it."""
    return NOW + timedelta(minutes=minutes)


async def counts(
    tx: Tx, basis: CountBasis, counted_at: datetime = NOW, now: datetime = LATER, **units: int
) -> list[CountSum | None]:
    ids = await product_ids(tx)
    items = [Counted(ids[code], each) for code, each in units.items()]
    change = await counting.count(tx, OWNER, items, counted_at=counted_at, basis=basis, now=now)
    assert [each.error for each in change.results] == [None] * len(items)
    return [each.sum for each in change.results]


@pytest.mark.parametrize(
    ("case", "basis", "placed", "fetched", "total", "state"),
    [
        ("shelf: placed before, fetched after: it lay there", ON_SHELF, -5, "after", 9, "APPLIED"),
        ("free: it was taken off already", FREE, -5, "after", 10, "COUNTED_BEFORE"),
        ("free: placed at that very moment", FREE, 0, "after", 10, "COUNTED_BEFORE"),
        ("shelf: known and not shipped", ON_SHELF, -5, "before", 9, "APPLIED"),
        ("free: known", FREE, -5, "before", 10, "APPLIED"),
        ("shelf: placed since, known", ON_SHELF, 5, "before", 9, "APPLIED"),
        ("free: placed since, known", FREE, 5, "before", 9, "APPLIED"),
        ("shelf: placed since, fetched after", ON_SHELF, 5, "after", 9, "APPLIED"),
        ("free: placed since, fetched after", FREE, 5, "after", 9, "APPLIED"),
    ],
)
async def test_a_count_of_ten_and_one_order(
    db: Database,
    account: UUID,
    case: str,
    basis: CountBasis,
    placed: int,
    fetched: str,
    total: int,
    state: str,
):
    """`fetched`: before or after the count was entered, an hour after it was made."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        order = an_order("1", ("tea", 1), placed_at=at(placed))

        if fetched == "before":
            await take(tx, shop, order, at=at(10))
        await counts(tx, basis, TEA=10)
        if fetched == "after":
            await take(tx, shop, order, at=LATER)
        await take(tx, shop, order, at=LATER + timedelta(minutes=1))

        assert await totals(tx) == {"TEA": total}, case
        assert await lines(tx, "1") == [("tea", 1, state)], case
        assert await unbalanced(tx) == []


@pytest.mark.parametrize(
    ("case", "basis", "fetched", "total", "after_cancel"),
    [
        ("shelf: fetched after, both teas lay there", ON_SHELF, "after", 8, 10),
        ("shelf: known and not shipped", ON_SHELF, "before", 8, 10),
        ("free: what the count took off is not ours to give back", FREE, "after", 10, 10),
        ("free: known, so that we took it", FREE, "before", 10, 12),
    ],
)
async def test_a_count_of_ten_and_an_order_of_a_set_that_is_cancelled_since(
    db: Database,
    account: UUID,
    case: str,
    basis: CountBasis,
    fetched: str,
    total: int,
    after_cancel: int,
):
    """A box of two teas, in two lines of which one is cut first: the part of a cancel comes back like the whole."""
    placed = {"placed_at": at(-5)}
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy=CancelPolicy.RESTORE.value)
        await in_stock(tx, shop, TEA=5)
        parts = [SetPart((await product_ids(tx))["TEA"], 1)]
        await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)
        await imported(tx, shop, a_listing("BOX"), create_products=False)
        order = an_order("1", ("box", 1), ("box", 1), **placed)

        if fetched == "before":
            await take(tx, shop, order, at=at(10))
        await counts(tx, basis, TEA=10)
        if fetched == "after":
            await take(tx, shop, order, at=LATER)
        counted = (await totals(tx))["TEA"]
        await take(tx, shop, an_order("1", ("box", 1), **placed), at=LATER + timedelta(minutes=1))
        cut = (await totals(tx))["TEA"]
        gone = an_order("1", ("box", 1), status=OrderStatus.RELEASED, **placed)
        await take(tx, shop, gone, at=LATER + timedelta(minutes=2))

        assert (counted, (await totals(tx))["TEA"]) == (total, after_cancel), case
        assert cut == (total + after_cancel) / 2
        assert await unbalanced(tx) == []


async def test_the_answer_shows_the_sum(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=50, MUG=7)
        await take(tx, shop, an_order("1", ("tea", 3), placed_at=at(-5)), at=at(1))
        await take(tx, shop, an_order("2", ("tea", 2), placed_at=at(5)), at=at(6))

        made = await counts(tx, ON_SHELF, TEA=10, MUG=7)

        assert made == [CountSum(10, 3, -2), CountSum(7, 0, 0)]
        assert await totals(tx) == {"MUG": 7, "TEA": 5}
        assert (await movements(tx, "TEA"))[-1] == ("COUNTED", -40, 5)
        assert (await movements(tx, "MUG"))[-1] == ("COUNTED", 7, 7), "the first; as counted: none"
        assert (await operations(tx))[-2:] == ["COUNT_STOCK", "COUNT_STOCK"]
        kept = await row(
            tx,
            "SELECT effective_at, reason FROM stock_movements WHERE cause = 'COUNTED' AND delta = -40",
        )
        assert kept == {"effective_at": NOW, "reason": "ON_SHELF"}


@pytest.mark.parametrize(
    ("case", "seen", "total"),
    [
        ("unshipped", [("HOLDS", -4)], 8),
        ("shipped before the count", [("HOLDS", -4), ("SHIPPED", -2)], 10),
        ("shipped since: it lay there then", [("HOLDS", -4), ("SHIPPED", 2)], 8),
        ("first seen shipped: it had gone", [("SHIPPED", -2)], 10),
        ("cancelled: it lies there and is free", [("HOLDS", -4), ("RELEASED", -2)], 10),
    ],
)
async def test_what_is_sold_and_lies_there_is_taken_off_a_shelf_count(
    db: Database, account: UUID, case: str, seen: list[tuple[str, int]], total: int
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=50)
        for status, minutes in seen:
            order = an_order("1", ("tea", 2), status=OrderStatus(status), placed_at=at(-5))
            await take(tx, shop, order, at=at(minutes))

        await counts(tx, ON_SHELF, TEA=10)

        assert await totals(tx) == {"TEA": total}, case


async def test_baseline_orders_that_still_lie_there_are_taken_off_too(db: Database, account: UUID):
    """They never deduct themselves: what is on the shelf was not counted before."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, effective_from=at(-3))
        await in_stock(tx, shop, TEA=50)
        await take(tx, shop, an_order("1", ("tea", 2), placed_at=at(-5)), at=at(-2))

        await counts(tx, ON_SHELF, TEA=10)

        assert await totals(tx) == {"TEA": 8}
        assert await lines(tx, "1") == [("tea", 2, "BASELINE")]


@pytest.mark.parametrize(
    ("case", "counted", "total_of_tea", "state"),
    [
        ("both parts", {"TEA": 10, "MUG": 10}, 10, "COUNTED_BEFORE"),
        ("one of them", {"TEA": 10}, 10, "APPLIED"),
    ],
)
async def test_a_free_count_reaches_orders_of_sets(
    db: Database, account: UUID, case: str, counted: dict[str, int], total_of_tea: int, state: str
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=50, MUG=50)
        ids = await product_ids(tx)
        parts = [SetPart(ids["TEA"], 2), SetPart(ids["MUG"], 1)]
        await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)
        await imported(tx, shop, a_listing("BOX"), create_products=False)

        await counts(tx, FREE, **counted)
        await take(tx, shop, an_order("1", ("box", 1), placed_at=at(-5)), at=LATER)

        assert await totals(tx) == {
            "BOX": 0,
            "TEA": total_of_tea,
            "MUG": 10 if "MUG" in counted else 49,
        }, case
        assert await lines(tx, "1") == [("box", 1, state)], case


async def test_what_is_added_to_an_order_after_a_free_count_deducts(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await counts(tx, FREE, TEA=10)
        await take(tx, shop, an_order("1", ("tea", 2), placed_at=at(-5)), at=LATER)

        raised = an_order("1", ("tea", 3), placed_at=at(-5))
        await take(tx, shop, raised, at=LATER + timedelta(minutes=1))

        assert await totals(tx) == {"TEA": 9}
        assert await lines(tx, "1") == [("tea", 3, "APPLIED")]


async def test_an_item_that_is_added_to_a_known_order_deducts(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=5)
        await counts(tx, FREE, TEA=10, MUG=10)
        await take(tx, shop, an_order("1", ("tea", 2), placed_at=at(-5)), at=LATER)

        more = an_order("1", ("tea", 2), ("mug", 1), placed_at=at(-5))
        await take(tx, shop, more, at=LATER + timedelta(minutes=1))

        assert await totals(tx) == {"MUG": 9, "TEA": 10}
        assert await lines(tx, "1") == [("tea", 2, "COUNTED_BEFORE"), ("mug", 1, "APPLIED")]


async def test_a_shelf_count_ends_what_a_free_count_before_it_took_off(db: Database, account: UUID):
    """What lay on the shelf was not taken off, whatever somebody counted before."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await counts(tx, FREE, TEA=10)
        await counts(tx, ON_SHELF, at(30), TEA=10)

        await take(tx, shop, an_order("1", ("tea", 1), placed_at=at(-5)), at=LATER)

        assert await totals(tx) == {"TEA": 9}


@pytest.mark.parametrize(
    ("case", "placed", "total"), [("placed before", -5, 10), ("placed since", 5, 9)]
)
@pytest.mark.parametrize("basis", [ON_SHELF, FREE])
async def test_orders_of_a_listing_linked_later_deduct_only_when_placed_after_the_count(
    db: Database, account: UUID, basis: CountBasis, case: str, placed: int, total: int
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await imported(tx, shop, a_listing("TEA2"), create_products=False)
        await take(tx, shop, an_order("1", ("tea2", 1), placed_at=at(placed)), at=at(6))
        await counts(tx, basis, TEA=10)

        ids = await product_ids(tx)
        listing = await shown(tx, shop, "tea2")
        pairs = [(listing.listing_id, ids["TEA"])]
        await links.link(tx, OWNER, pairs, copy_page=True, now=LATER)

        assert await totals(tx) == {"TEA": total}, case


async def test_a_known_order_gives_back_what_it_took_when_it_is_cancelled_after_the_count(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy=CancelPolicy.RESTORE.value)
        await in_stock(tx, shop, TEA=5)
        await take(tx, shop, an_order("1", ("tea", 1), placed_at=at(-5)), at=at(-4))
        await counts(tx, FREE, now=NOW, TEA=10)

        cancelled = an_order("1", ("tea", 1), status=OrderStatus.RELEASED, placed_at=at(-5))
        await take(tx, shop, cancelled, at=LATER)

        assert await totals(tx) == {"TEA": 11}


@pytest.mark.parametrize(
    ("case", "item", "code"),
    [
        ("a product that is not there", uuid4(), "NOT_FOUND"),
        ("a set", "BOX", "SET_HAS_NO_STOCK"),
        ("fewer than none", ("MUG", -1), "INVALID_VALUE"),
        ("set since", "CUP", "COUNTED_SINCE"),
    ],
)
async def test_what_is_refused_moves_nothing_and_leaves_the_others_done(
    db: Database, account: UUID, case: str, item: Any, code: str
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5, MUG=5, CUP=5)
        ids: dict[str, UUID] = await product_ids(tx)
        parts = [SetPart(ids["TEA"], 2)]
        ids["BOX"] = (await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)).id
        await stock.set_totals(tx, OWNER, [NewTotal(ids["CUP"], 8)], now=at(1))
        name, units = item if isinstance(item, tuple) else (item, 10)

        asked = [Counted(ids.get(name, name), units), Counted(ids["TEA"], 7)]
        change = await counting.count(tx, OWNER, asked, counted_at=NOW, basis=FREE, now=LATER)

        refused, done = change.results
        assert (refused.error and refused.error.code, refused.sum) == (code, None), case
        assert (done.error, done.sum) == (None, CountSum(7, 0, 0))
        assert await totals(tx) == {"BOX": 0, "CUP": 8, "MUG": 5, "TEA": 7}


@pytest.mark.parametrize(
    "counted_at", [LATER, NOW - timedelta(days=367), datetime.min.replace(tzinfo=UTC)]
)
async def test_a_count_in_the_future_or_long_ago_is_refused(
    db: Database, account: UUID, counted_at: datetime
):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await counting.count(tx, OWNER, [], counted_at=counted_at, basis=FREE, now=NOW)

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("counted_at",))


async def test_what_came_in_since_the_count_stays_on_top(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        received = [Adjustment(tea, 20)]
        await stock.adjust_totals(tx, OWNER, received, reason=AdjustReason.RECEIVED, now=at(5))

        assert await counts(tx, ON_SHELF, TEA=10) == [CountSum(10, 0, 20)]
        assert await totals(tx) == {"TEA": 30}


async def test_an_order_that_is_taken_in_while_it_is_counted_deducts_once_or_never(
    db: Database, account: UUID
):
    """The order has decided what it takes and is not committed: a FREE count waits for it, and then knows it."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
    order = an_order("1", ("tea", 1), placed_at=at(-5))

    async def counted() -> None:
        async with db.transaction(account) as other:
            await counts(other, FREE, TEA=10)

    async with db.transaction(account) as tx:
        await take(tx, shop, order, at=at(1))
        waiting = asyncio.create_task(counted())
        await someone_waits(db)
    await waiting

    async with db.transaction(account) as tx:
        assert await totals(tx) == {"TEA": 10}
        assert await unbalanced(tx) == []


async def test_an_order_that_waits_for_a_count_is_taken_in_by_what_the_count_says(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
    order = an_order("1", ("tea", 1), placed_at=at(-5))

    async def fetched() -> None:
        async with db.transaction(account) as other:
            await take(other, shop, order, at=at(1))

    async with db.transaction(account) as tx:
        await counts(tx, FREE, TEA=10)
        waiting = asyncio.create_task(fetched())
        await someone_waits(db)
    await waiting

    async with db.transaction(account) as tx:
        assert await totals(tx) == {"TEA": 10}
        assert await lines(tx, "1") == [("tea", 1, "COUNTED_BEFORE")]


Note = tuple[datetime, datetime, CountBasis, int]
"""When it was counted, when it is entered, what was counted, and how many."""


class Warehouse:
    """The truth: what lies on the shelf, and which orders are still to be sent from it."""

    def __init__(self, units: int) -> None:
        self.shelf = units
        self.placed: dict[str, tuple[datetime, int]] = {}
        self.seen: set[str] = set()
        self.shipped: set[str] = set()

    @property
    def free(self) -> int:
        return self.shelf - sum(
            units for number, (_, units) in self.placed.items() if number not in self.shipped
        )

    def counted(self, basis: CountBasis) -> int:
        return self.shelf if basis is ON_SHELF else self.free


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_the_total_ends_as_what_is_really_free(
    db: Database, account: UUID, seed: int
):
    """Orders are placed, fetched late and out of order, and shipped; the shelf and the free units are counted truly and
    entered minutes later. Once every order is known, the total is what lies there and nobody has bought."""
    random = Random(seed)
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=random.randrange(50))
        truth = Warehouse(random.randrange(40, 80))
        notes: list[Note] = []

        for minute in range(40):
            notes = await _enter(tx, notes, at(minute))
            await _happen(tx, shop, truth, notes, random, minute)
        basis = random.choice([ON_SHELF, FREE])
        notes.append((at(40), at(50), basis, truth.counted(basis)))
        await _enter(tx, notes, at(60))
        await _fetch(tx, shop, truth, sorted(truth.placed), at(61))

        assert await totals(tx) == {"TEA": truth.free}
        assert await unbalanced(tx) == []


async def _happen(
    tx: Tx,
    shop: Shop,
    truth: Warehouse,
    notes: list[Note],
    random: Random,
    minute: int,
) -> None:
    unsent = sorted(truth.seen - truth.shipped)
    match random.choice(["place", "place", "fetch", "ship", "count"]):
        case "place":
            truth.placed[f"{minute:03}"] = (at(minute), random.randrange(1, 4))
        case "fetch":
            some = [number for number in sorted(truth.placed) if random.random() < 0.6]
            await _fetch(tx, shop, truth, some, at(minute))
        case "ship" if unsent:
            number = random.choice(unsent)
            truth.shipped.add(number)
            truth.shelf -= truth.placed[number][1]
            await _fetch(tx, shop, truth, [number], at(minute))
        case "count" if not notes:
            basis = random.choice([ON_SHELF, FREE])
            entered = at(minute + random.randrange(6))
            notes.append((at(minute), entered, basis, truth.counted(basis)))


async def _enter(tx: Tx, notes: list[Note], now: datetime) -> list[Note]:
    """Counts that are due to be entered; those that are left."""
    for made, entered, basis, units in notes:
        if entered <= now:
            await counts(tx, basis, made, now, TEA=units)
    return [note for note in notes if note[1] > now]


async def _fetch(tx: Tx, shop: Shop, truth: Warehouse, numbers: list[str], now: datetime) -> None:
    random_order = [
        an_order(
            number,
            ("tea", truth.placed[number][1]),
            status=OrderStatus.SHIPPED if number in truth.shipped else OrderStatus.HOLDS,
            placed_at=truth.placed[number][0],
        )
        for number in numbers
    ]
    truth.seen |= set(numbers)
    await take(tx, shop, *random_order, at=now)
