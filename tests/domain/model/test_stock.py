"""What a total is, what may change it, what a listing shows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model import stock
from domain.model.errors import DomainError
from domain.model.stock import CountBasis, QuantityRule, Step

UNITS = st.integers(-1_000, 1_000)
MINIMUM = st.none() | st.integers(0, 20)
MAXIMUM = st.none() | st.integers(1, 20)


@pytest.mark.parametrize(
    ("case", "sellable", "minimum", "maximum", "shown"),
    [
        ("no limits: what is sellable", 7, None, None, 7),
        ("an oversold product shows none, not less", -3, None, None, 0),
        ("above the minimum all is shown, the minimum is not subtracted", 4, 3, None, 4),
        ("at the minimum none is shown", 3, 3, None, 0),
        ("under the minimum none is shown", 2, 3, None, 0),
        ("a minimum of 0 changes nothing", 1, 0, None, 1),
        ("under the maximum all is shown", 4, None, 5, 4),
        ("at the maximum the maximum is shown", 5, None, 5, 5),
        ("over the maximum the maximum is shown", 6, None, 5, 5),
        ("min 10, max 3: three are shown while more than ten are left", 11, 10, 3, 3),
        ("min 10, max 3: none from ten on", 10, 10, 3, 0),
        ("an oversold product with limits shows none", -1, 0, 3, 0),
    ],
)
def test_quantity_to_show(case, sellable, minimum, maximum, shown):
    assert stock.quantity_to_show(sellable, minimum, maximum) == shown, case


@pytest.mark.parametrize(
    ("case", "own", "group", "reserve"),
    [
        ("neither", None, None, 0),
        ("the group's", None, 5, 5),
        ("its own before the group's", 2, 5, 2),
        ("its own 0 lifts the group's", 0, 5, 0),
    ],
)
def test_effective_reserve(case, own, group, reserve):
    assert stock.effective_reserve(own, group) == reserve, case


def test_explain_shows_every_step_in_order():
    assert stock.explain(20, reserve=4, minimum=3, maximum=10, most=8) == (
        Step(QuantityRule.TOTAL, 20, 20),
        Step(QuantityRule.RESERVE, 20, 16),
        Step(QuantityRule.FLOOR_ZERO, 16, 16),
        Step(QuantityRule.MINIMUM, 16, 16),
        Step(QuantityRule.MAXIMUM, 16, 10),
        Step(QuantityRule.MALL_MAXIMUM, 10, 8),
    )


def test_explain_of_a_set_starts_at_what_its_parts_allow():
    steps = stock.explain(
        -1, reserve=0, minimum=None, maximum=None, most=99, start_rule=QuantityRule.SET_PARTS
    )
    assert [(s.rule, s.after) for s in steps[:3]] == [
        (QuantityRule.SET_PARTS, -1),
        (QuantityRule.RESERVE, -1),
        (QuantityRule.FLOOR_ZERO, 0),
    ]


@given(
    total=UNITS,
    reserve=st.integers(0, 50),
    minimum=MINIMUM,
    maximum=MAXIMUM,
    most=st.integers(1, 99),
)
def test_the_last_step_of_explain_is_the_number_to_show(total, reserve, minimum, maximum, most):
    steps = stock.explain(total, reserve=reserve, minimum=minimum, maximum=maximum, most=most)
    sellable = stock.sellable(total, reserve)
    assert steps[-1].after == min(stock.quantity_to_show(sellable, minimum, maximum), most)
    assert all(a.after == b.before for a, b in pairwise(steps))


@given(sellable=UNITS, minimum=MINIMUM, maximum=MAXIMUM)
def test_a_listing_never_shows_more_than_there_is_nor_less_than_none(sellable, minimum, maximum):
    shown = stock.quantity_to_show(sellable, minimum, maximum)
    assert 0 <= shown <= max(0, sellable)
    assert maximum is None or shown <= maximum


@pytest.mark.parametrize(
    ("minimum", "maximum", "field"),
    [
        (-1, None, "minimum"),
        (None, 0, "maximum"),
        (None, -1, "maximum"),
        (stock.MOST_UNITS + 1, None, "minimum"),
        (None, stock.MOST_UNITS + 1, "maximum"),
    ],
)
def test_limits_that_are_refused(minimum, maximum, field):
    with pytest.raises(DomainError) as refused:
        stock.check_limits(minimum, maximum)
    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", (field,))


def test_a_maximum_of_zero_is_refused_with_what_to_do_instead():
    with pytest.raises(DomainError, match="switch the listing's sync off"):
        stock.check_limits(None, 0)


@pytest.mark.parametrize(("minimum", "maximum"), [(None, None), (0, 1), (10, 3), (3, 3)])
def test_any_other_pair_of_limits_goes(minimum, maximum):
    assert stock.check_limits(minimum, maximum) is None


@pytest.mark.parametrize(
    ("case", "total", "change", "allow_negative", "after"),
    [
        ("goods come in", 3, 2, False, 5),
        ("the last ones go", 3, -3, False, 0),
        ("a receipt of 1 on an oversold product", -3, 1, False, -2),
        ("nothing changes while oversold", -3, 0, False, -3),
        ("below zero, as they said", 1, -3, True, -2),
    ],
)
def test_adjusted(case, total, change, allow_negative, after):
    assert stock.adjusted(total, change, allow_negative=allow_negative) == after, case


@pytest.mark.parametrize(("total", "change"), [(1, -2), (0, -1), (-3, -1)])
def test_taking_what_is_not_there_is_refused(total, change):
    with pytest.raises(stock.InsufficientStock) as refused:
        stock.adjusted(total, change)
    assert refused.value.code == "INSUFFICIENT_STOCK"
    assert refused.value.params == {"total": total, "change": change}


def test_a_total_beyond_all_measure_is_refused():
    with pytest.raises(DomainError) as refused:
        stock.adjusted(stock.MOST_UNITS, 1)
    assert refused.value.code == "INVALID_VALUE"


@pytest.mark.parametrize(
    ("case", "total", "wanted", "expected", "after"),
    [
        ("seen and set", 5, 8, 5, 8),
        ("set without saying what was seen", 5, 8, None, 8),
        ("an oversold product brought nearer to zero", -5, -1, -5, -1),
    ],
)
def test_set_to(case, total, wanted, expected, after):
    assert stock.set_to(total, wanted, expected) == after, case


def test_setting_a_total_that_has_changed_meanwhile_is_refused_with_the_new_one():
    with pytest.raises(stock.TotalChanged) as refused:
        stock.set_to(4, 8, 5)
    assert refused.value.code == "TOTAL_CHANGED"
    assert refused.value.params == {"current": 4, "expected": 5}


def test_setting_below_zero_needs_saying_so():
    with pytest.raises(stock.InsufficientStock):
        stock.set_to(4, -1, 4)
    assert stock.set_to(4, -1, 4, allow_negative=True) == -1


@pytest.mark.parametrize(
    ("case", "basis", "moved_since", "total"),
    [
        ("on the shelf: what is sold and not shipped is taken off", CountBasis.ON_SHELF, 0, 7),
        ("free: it was not counted", CountBasis.FREE, 0, 10),
        ("what moved after the count stays on top", CountBasis.ON_SHELF, -2, 5),
        ("a count may show that too much was sold", CountBasis.FREE, -12, -2),
    ],
)
def test_counted(case, basis, moved_since, total):
    made = stock.counted(10, basis, not_shipped=3, moved_since=moved_since)
    assert made.total == total, case


@pytest.mark.parametrize(
    ("case", "units", "moved_since", "field"),
    [
        ("more than can be entered", stock.MOST_UNITS + 1, -1, "counted"),
        ("fewer than none", -1, 1, "counted"),
        ("what came in since makes it too many", stock.MOST_UNITS, 1, "total"),
        ("what went out since makes it too few", 0, -stock.MOST_UNITS - 1, "total"),
    ],
)
def test_a_count_makes_no_total_that_could_not_be_entered(case, units, moved_since, field):
    with pytest.raises(DomainError) as refused:
        stock.counted(units, CountBasis.FREE, not_shipped=0, moved_since=moved_since)
    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", (field,)), case
    most = stock.counted(stock.MOST_UNITS, CountBasis.FREE, not_shipped=0, moved_since=0)
    assert most.total == stock.MOST_UNITS
