"""What the chaos run calls amiss: each check finds what it is there for, and nothing where all is well."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from benchmarks.chaos.checks import Change, Found, amiss, halts, to_show, true_totals
from benchmarks.chaos.merchant import Api, Merchant
from benchmarks.chaos.wares import Wares
from benchmarks.market import MallShop, Stall
from domain.model.malls import ItemRef, MallKind
from domain.store.audit import (
    AuditedEffect,
    AuditedListing,
    AuditedPart,
    AuditedProduct,
    Books,
    Unsettled,
)
from renkei.demo.books import HeldOrder, MallBooks
from renkei.example_shop.catalogue import RetailProduct

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP, TEA, BOX = uuid4(), uuid4(), uuid4()
WARES = Wares(
    [
        RetailProduct("TEA", "Tea", "TEA", 9, 10, {}),
        RetailProduct("BOX", "Box", "BOX", 1, 0, {"TEA": 2}),
    ],
    [],
    [],
)
SETTLED = Unsettled(0, 0, 0, 0, 0)


@pytest.fixture
def shop() -> MallShop:
    return MallShop(SHOP, Stall(MallKind.AMAZON, httpx.AsyncClient()))


@pytest.fixture
def merchant() -> Merchant:
    api = Api(httpx.AsyncClient(), ["http://api"], "token", "test")
    return Merchant(api, {"TEA": TEA}, changes=Counter(TEA=3))


def at_the_mall(**counters: int) -> MallBooks:
    """Three teas were ordered, one of them in a box of two."""
    orders = {
        "1": HeldOrder(NOON, {ItemRef("TEA"): 1}, 1),
        "2": HeldOrder(NOON, {ItemRef("BOX"): 1}, 1),
    }
    shown = {ItemRef(code): number for code, number in counters.items()}
    return MallBooks(SHOP, shown, orders, {ItemRef("TEA"): [NOON]}, requests=0)


def in_our_books(total: int = 10, ledger: int = 10, applied: int = 2) -> Books:
    return Books(
        [_listing("TEA", TEA), _listing("BOX", BOX)],
        [
            AuditedProduct(TEA, "TEA", "SINGLE", True, total, 0, ledger),
            AuditedProduct(BOX, "BOX", "SET", True, 0, 0, 0),
        ],
        [AuditedPart(BOX, TEA, 2)],
        [
            AuditedEffect(SHOP, "1", TEA, 1, 0, 1),
            AuditedEffect(SHOP, "2", TEA, applied, 0, applied),
        ],
    )


def _listing(code: str, product_id: UUID) -> AuditedListing:
    return AuditedListing(uuid4(), SHOP, ItemRef(code), product_id, None, None, True)


def found(malls: MallBooks, ours: Books) -> Found:
    return Found([malls], ours, SETTLED, [], [], [])


WELL = found(at_the_mall(TEA=10, BOX=5), in_our_books())


def test_what_is_true_follows_from_the_start_the_changes_and_the_malls_orders(
    shop: MallShop, merchant: Merchant
) -> None:
    totals = true_totals(WELL.malls, [shop], WARES, merchant)

    assert totals == {"TEA": 10 + 3 - 1 - 2}
    assert to_show(totals, WARES) == {"TEA": 10, "BOX": 5}
    assert to_show({"TEA": -3}, WARES) == {"TEA": 0, "BOX": 0}


def test_nothing_is_amiss_where_all_is_well(shop: MallShop, merchant: Merchant) -> None:
    assert amiss(WELL, [shop], WARES, merchant) == []


@pytest.mark.parametrize(
    ("case", "seen", "words"),
    [
        ("a counter", found(at_the_mall(TEA=11, BOX=5), in_our_books()), "shows 11 of TEA"),
        ("a set's", found(at_the_mall(TEA=10, BOX=6), in_our_books()), "shows 6 of BOX"),
        ("a total", found(at_the_mall(TEA=10, BOX=5), in_our_books(9, 9)), "makes 10"),
        ("a ledger", found(at_the_mall(TEA=10, BOX=5), in_our_books(10, 9)), "ledger sums to 9"),
        ("an order", found(at_the_mall(TEA=10, BOX=5), in_our_books(applied=4)), "holds 2 of TEA"),
        ("what waits", replace(WELL, unsettled=Unsettled(1, 0, 0, 0, 0)), "1 wait"),
        (
            "a write",
            replace(
                WELL,
                changes=[
                    Change(SHOP, "HALTED", NOON - timedelta(minutes=1)),
                    Change(SHOP, "CATCHING_UP", NOON + timedelta(minutes=1)),
                ],
            ),
            "halted from",
        ),
    ],
)
def test_what_is_amiss_is_found(
    shop: MallShop, merchant: Merchant, case: str, seen: Found, words: str
) -> None:
    assert words in "\n".join(amiss(seen, [shop], WARES, merchant)), case


@pytest.mark.parametrize(
    ("case", "states", "spells"),
    [
        ("until it may be written to again", "HALTED PROBING CATCHING_UP RUNNING", [(0, 2)]),
        ("through a test that failed", "HALTED PROBING HALTED PROBING CATCHING_UP", [(0, 4)]),
        ("once more", "HALTED CATCHING_UP HALTED CATCHING_UP", [(0, 1), (2, 3)]),
        ("a test without a halt is none", "PROBING RUNNING", []),
    ],
)
def test_a_halt_lasts(case: str, states: str, spells: list[tuple[int, int]]) -> None:
    changes = [
        Change(SHOP, state, NOON + timedelta(seconds=nth))
        for nth, state in enumerate(states.split())
    ]
    others = [Change(uuid4(), "RUNNING", NOON)]

    seconds: Mapping[datetime, int] = {each.at: nth for nth, each in enumerate(changes)}
    assert [(seconds[a], seconds[b]) for a, b in halts(others + changes, SHOP)] == spells, case
