"""The demo's audit and its measures: what the malls say is held against our books, and nothing off goes by."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from domain.model.malls import ItemRef, MallKind
from domain.store.audit import (
    AuditedEffect,
    AuditedListing,
    AuditedPart,
    AuditedProduct,
    Books,
    Reach,
)
from integrations.sandbox.app import create_app
from renkei.demo.audit import Audit, Kind, audit
from renkei.demo.books import HeldOrder, MallBooks, read_state
from renkei.demo.latency import Lasted, Spell, by_answers, by_mall_logs, calm, percentile
from renkei.demo.replay import Tally
from renkei.demo.stalls import Stall
from renkei.demo.summary import Outcome, Pace, last_line, summary

YAHOO, AMAZON = MallKind.YAHOO_SHOPPING, MallKind.AMAZON
SHOP = {YAHOO: UUID(int=1), AMAZON: UUID(int=2)}
MUG, TEA, BOX = UUID(int=11), UUID(int=12), UUID(int=13)
CODES = {MUG: "MUG", TEA: "TEA", BOX: "BOX"}


@dataclass
class Street:
    """Two malls that each sell mugs, tea, and a box of one mug and two teas."""

    stalls: dict[MallKind, Stall]
    ours: Books

    async def audited(self) -> Audit:
        books = [read_state(SHOP[kind], await stall.state()) for kind, stall in self.stalls.items()]
        return audit(books, self.ours)


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    """Yahoo has sold a mug and a box; the box was ordered twice and one of them cut."""
    app = create_app(speed=0)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://malls") as control:
        stalls = {kind: Stall(kind, control) for kind in SHOP}
        for stall in stalls.values():
            await stall.open(0)
            await stall.puts(
                [
                    {"item_code": "MUG", "quantity": 10},
                    {"item_code": "TEA", "quantity": 10},
                    {"item_code": "BOX", "quantity": 5},
                ]
            )
        first = await stalls[YAHOO].sell([(ItemRef("MUG"), 1)], "1")
        second = await stalls[YAHOO].sell([(ItemRef("BOX"), 2)], "2")
        await stalls[YAHOO].cut(second["number"], ItemRef("BOX"), 1)
        for stall in stalls.values():
            for code, quantity in (("MUG", 8), ("TEA", 8), ("BOX", 4)):
                await stall.edit(ItemRef(code), quantity)
        yield Street(stalls, _books(first["number"], second["number"]))


def _books(first: str, second: str) -> Books:
    shop = SHOP[YAHOO]
    return Books(
        listings=[
            AuditedListing(UUID(int=0), at, ItemRef(code), product, None, None, True)
            for at in SHOP.values()
            for product, code in CODES.items()
        ],
        products=[
            AuditedProduct(MUG, "MUG", "SINGLE", True, 8, 0, 8),
            AuditedProduct(TEA, "TEA", "SINGLE", True, 8, 0, 8),
            AuditedProduct(BOX, "BOX", "SET", True, 0, 0, 0),
        ],
        parts=[AuditedPart(BOX, MUG, 1), AuditedPart(BOX, TEA, 2)],
        effects=[
            AuditedEffect(shop, first, MUG, 1, 0, 1),
            AuditedEffect(shop, second, MUG, 1, 0, 1),
            AuditedEffect(shop, second, TEA, 2, 0, 2),
        ],
    )


async def test_it_balances(street: Street) -> None:
    found = await street.audited()

    assert found.findings == ()
    assert (found.orders, found.lines, found.listings) == (2, 2, 6)


async def test_a_number_that_somebody_changed_at_the_mall_is_found(street: Street) -> None:
    await street.stalls[AMAZON].edit(ItemRef("TEA"), 9)

    found = await street.audited()

    assert [(each.kind, each.text) for each in found.findings] == [
        (Kind.DIFFERENCE, "TEA shows 9, and should show 8.")
    ]


async def test_an_order_that_we_never_took_in_is_found(street: Street) -> None:
    await street.stalls[AMAZON].sell([(ItemRef("BOX"), 1)], "3")
    await street.stalls[AMAZON].edit(ItemRef("BOX"), 4)

    found = await street.audited()

    assert found.count(Kind.UNAPPLIED) == 2
    assert not found.balanced


Change = Callable[[Books], Books]


def _without_a_ledger_row(books: Books) -> Books:
    mug, *others = books.products
    return replace(books, products=[replace(mug, ledger=mug.ledger + 1), *others])


def _without_a_movement(books: Books) -> Books:
    first, *others = books.effects
    return replace(books, effects=[replace(first, moved=0), *others])


def _with_an_order_counted_twice(books: Books) -> Books:
    return replace(books, effects=[*books.effects, books.effects[0]])


def _with_an_order_nobody_placed(books: Books) -> Books:
    stray = replace(books.effects[0], number="snbx-demo-99")
    return replace(books, effects=[*books.effects, stray])


def _with_a_total_moved(books: Books) -> Books:
    mug, *others = books.products
    return replace(books, products=[replace(mug, total=7, ledger=7), *others])


def _with_a_reserve(books: Books) -> Books:
    mug, tea, box = books.products
    return replace(books, products=[mug, replace(tea, reserve=3), box])


def _with_a_maximum(books: Books) -> Books:
    first, *others = books.listings
    return replace(books, listings=[replace(first, maximum=3), *others])


def _with_a_listing_the_mall_lacks(books: Books) -> Books:
    first, *others = books.listings
    return replace(books, listings=[replace(first, ref=ItemRef("GONE")), *others])


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (_without_a_ledger_row, [Kind.LEDGER]),
        (_without_a_movement, [Kind.UNAPPLIED]),
        (_with_an_order_counted_twice, [Kind.UNAPPLIED]),
        (_with_an_order_nobody_placed, [Kind.UNAPPLIED]),
        (_with_a_total_moved, [Kind.DIFFERENCE] * 2),
        (_with_a_reserve, [Kind.DIFFERENCE] * 4),
        (_with_a_maximum, [Kind.DIFFERENCE]),
        (_with_a_listing_the_mall_lacks, [Kind.DIFFERENCE, Kind.UNAPPLIED, Kind.UNAPPLIED]),
    ],
)
async def test_whatever_is_off_in_our_books_is_found(
    street: Street, change: Change, kinds: list[Kind]
) -> None:
    street.ours = change(street.ours)

    found = await street.audited()

    assert [each.kind for each in found.findings] == kinds


async def test_the_last_line_says_whether_it_balances(street: Street) -> None:
    good = await street.audited()
    await street.stalls[AMAZON].edit(ItemRef("TEA"), 9)
    bad = await street.audited()

    assert last_line(_outcome(good)) == (
        "demo: ok orders=2 lines=2 pushes=7 mall_requests=0 errors_opened=3 errors_open=0"
        " differences=0 unapplied=0 p95_order_to_malls_ms=2000"
    )
    assert last_line(_outcome(bad)) == (
        "demo: FAILED orders=2 lines=2 pushes=7 mall_requests=0 errors_opened=3 errors_open=0"
        " differences=1 unapplied=0 ledgers_off=0"
    )


async def test_the_summary_holds_what_was_oversold_against_the_shadow(street: Street) -> None:
    told = summary(_outcome(await street.audited()), [Tally(orders=2)], Pace(1, {}, 60))

    assert (
        "Units sold that did not exist: 4. At a shadow of these malls, told every 5 minutes: 1,234."
        in told
    )


def _outcome(found: Audit) -> Outcome:
    lasted, spells = [_order(0, 2), _order(10, 60)], [Spell(_at(20), _at(30))]
    return Outcome(found, 7, 0, 3, 0, lasted, spells, (4, 1234))


def test_an_order_lasts_until_the_last_counter_was_written() -> None:
    malls = [
        MallBooks(SHOP[YAHOO], {}, {"7": HeldOrder(_at(10), {}, 1)}, {}, 0),
        MallBooks(SHOP[AMAZON], {}, {}, {ItemRef("MUG"): [_at(9), _at(13)], ItemRef("TEA"): []}, 0),
    ]
    reaches = [_reach("MUG", sent=11, answered=12), _reach("TEA", sent=11, answered=None)]

    assert by_mall_logs(malls, reaches) == [_order(10, 13)]
    assert by_answers({(SHOP[YAHOO], "7"): _at(10)}, reaches) == [_order(10, 12)]


def test_orders_that_met_a_mishap_are_told_apart() -> None:
    before, within, across, after = _order(0, 5), _order(12, 13), _order(1, 40), _order(30, 32)

    assert calm([before, within, across, after], [Spell(_at(10), _at(20))]) == [before, after]


@pytest.mark.parametrize(
    ("seconds", "percent", "expected"),
    [([], 95, None), ([3], 50, 3000), ([1, 2, 3, 4], 50, 2000), (list(range(1, 101)), 95, 95_000)],
)
def test_percentile(seconds: list[int], percent: int, expected: int | None) -> None:
    assert percentile([_order(0, each) for each in seconds], percent) == expected


def _at(second: float) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=second)


def _order(seen: float, reached: float) -> Lasted:
    return Lasted(_at(seen), _at(reached))


def _reach(code: str, *, sent: float, answered: float | None) -> Reach:
    at = None if answered is None else _at(answered)
    return Reach(SHOP[YAHOO], "7", SHOP[AMAZON], ItemRef(code), _at(sent), at, _at(sent), 1)
