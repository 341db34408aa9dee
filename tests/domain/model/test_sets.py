"""A set offers what its parts allow, and never more."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import DomainError
from domain.model.sets import (
    MOST_PARTS,
    MOST_PER_SET,
    PartStock,
    SetPart,
    check_holds_stock,
    check_set,
    sellable_sets,
)

TEA, MUG, BOX, GIFT = (UUID(int=n) for n in range(1, 5))
GIFT_BOX = [SetPart(TEA, 1), SetPart(MUG, 2)]


@pytest.mark.parametrize(
    ("case", "tea", "mug", "set_reserve", "expected"),
    [
        ("the scarcest part decides", PartStock(10, 0), PartStock(7, 0), 0, 3),
        ("a part's reserve is kept from sets too", PartStock(10, 0), PartStock(7, 2), 0, 2),
        ("then the set's own reserve", PartStock(10, 0), PartStock(7, 2), 1, 1),
        ("a reserve larger than the stock leaves none", PartStock(10, 0), PartStock(7, 0), 9, 0),
        ("an oversold part leaves none", PartStock(10, 0), PartStock(-4, 0), 0, 0),
        ("an unmanaged part does not limit", PartStock(3, 0), PartStock(0, 0, False), 0, 3),
        ("an unmanaged scarce part neither", PartStock(0, 0, False), PartStock(4, 0), 0, 2),
        ("nothing limits", PartStock(3, 0, False), PartStock(3, 0, False), 0, None),
    ],
)
def test_sellable_sets(case, tea, mug, set_reserve, expected):
    assert sellable_sets(GIFT_BOX, {TEA: tea, MUG: mug}, set_reserve) == expected, case


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    data=st.data(),
    set_reserve=st.integers(0, 5),
)
def test_a_set_never_offers_more_than_its_parts(counts, data, set_reserve):
    parts = [SetPart(UUID(int=n), count) for n, count in enumerate(counts)]
    totals = [data.draw(st.integers(-5, 200)) for _ in parts]
    reserves = [data.draw(st.integers(0, 20)) for _ in parts]
    stock = {
        part.product_id: PartStock(total, reserve)
        for part, total, reserve in zip(parts, totals, reserves, strict=True)
    }
    offered = sellable_sets(parts, stock, set_reserve)
    assert offered >= 0
    for part in parts:
        free = max(0, stock[part.product_id].total - stock[part.product_id].reserve)
        assert (offered + (set_reserve if offered else 0)) * part.count <= free


@pytest.mark.parametrize(
    ("case", "parts", "others", "code", "field"),
    [
        ("no parts", [], {}, "SET_EMPTY", ("parts",)),
        ("itself", [SetPart(GIFT, 1)], {}, "SET_IN_SET", ("parts", "0")),
        ("a set", [SetPart(TEA, 1), SetPart(BOX, 1)], {}, "SET_IN_SET", ("parts", "1")),
        ("it is itself a part", GIFT_BOX, {"is_part": True}, "SET_IN_SET", ()),
        ("none of a part", [SetPart(TEA, 0)], {}, "INVALID_VALUE", ("parts", "0", "count")),
        (
            "more than anybody packs",
            [SetPart(TEA, MOST_PER_SET + 1)],
            {},
            "INVALID_VALUE",
            ("parts", "0", "count"),
        ),
        (
            "a part named twice",
            [SetPart(TEA, 1), SetPart(TEA, 2)],
            {},
            "INVALID_VALUE",
            ("parts", "1"),
        ),
        ("it holds stock", GIFT_BOX, {"total": 1}, "SET_HAS_NO_STOCK", ()),
        ("it is oversold", GIFT_BOX, {"total": -1}, "SET_HAS_NO_STOCK", ()),
        (
            "more parts than a set has",
            [SetPart(UUID(int=n), 1) for n in range(100, 101 + MOST_PARTS)],
            {},
            "TOO_MANY",
            ("parts",),
        ),
    ],
)
def test_sets_that_are_refused(case, parts, others, code, field):
    given = {"is_part": False, "total": 0} | others
    with pytest.raises(DomainError) as refused:
        check_set(GIFT, parts, sets={BOX}, **given)
    assert (refused.value.code, refused.value.field) == (code, field), case


def test_a_set_of_single_products_goes():
    assert check_set(GIFT, GIFT_BOX, sets=frozenset(), is_part=False, total=0) is None


def test_a_set_holds_no_stock_of_its_own():
    with pytest.raises(DomainError) as refused:
        check_holds_stock(is_set=True)
    assert refused.value.code == "SET_HAS_NO_STOCK"
    assert check_holds_stock(is_set=False) is None
