"""Units sold that did not exist: what a till counts, and what malls do that are told every number now and then."""

import pytest

from domain.model.malls import MallKind
from renkei.demo.shadow import Comparison, Till, compared

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
SETS = {"BOX": {"TEA": 2, "MUG": 1}}


@pytest.mark.parametrize(
    ("case", "sold", "missing", "totals"),
    [
        ("what there is", [{"TEA": 5}], 0, {"TEA": 0, "MUG": 3}),
        ("more than there is", [{"TEA": 7}], 2, {"TEA": -2, "MUG": 3}),
        ("of what is gone all of it", [{"TEA": 7}, {"TEA": 1}], 3, {"TEA": -3, "MUG": 3}),
        ("a set takes its parts", [{"BOX": 2}], 0, {"TEA": 1, "MUG": 1}),
        ("a set lacks what its parts lack", [{"BOX": 3}], 1, {"TEA": -1, "MUG": 0}),
    ],
)
def test_a_till_counts_what_did_not_exist(
    case: str, sold: list[dict[str, int]], missing: int, totals: dict[str, int]
) -> None:
    till = Till({"TEA": 5, "MUG": 3}, SETS)
    for units in sold:
        till.sold(units)
    assert (till.missing, till.totals) == (missing, totals), case


def test_what_comes_back_is_there_again_and_what_was_missing_stays_counted() -> None:
    till = Till({"TEA": 1, "MUG": 3}, SETS)
    till.sold({"TEA": 2})
    till.came({"TEA": 4})
    assert (till.there_is("TEA"), till.there_is("BOX"), till.missing) == (3, 1, 1)


@pytest.fixture
def both() -> Comparison:
    return compared({"TEA": 5, "MUG": 3}, SETS, (RAKUTEN, YAHOO))


def test_both_begin_with_what_there_is(both: Comparison) -> None:
    shown = {"TEA": 5, "MUG": 3, "BOX": 2}
    assert both.shadow.counters == {RAKUTEN: shown, YAHOO: shown}
    assert (both.here.missing, both.shadow.till.missing) == (0, 0)


def test_two_malls_sell_the_same_unit_between_two_writes(both: Comparison) -> None:
    both.wanted(RAKUTEN, "1", {"TEA": 4})
    both.wanted(YAHOO, "2", {"TEA": 4})
    assert (both.shadow.till.missing, both.shadow.till.totals["TEA"]) == (3, -3)
    assert (both.here.missing, both.here.totals["TEA"], both.orders) == (0, 5, 0)


def test_a_write_tells_every_mall_what_there_is_and_never_less_than_none(both: Comparison) -> None:
    both.wanted(RAKUTEN, "1", {"TEA": 5})
    both.wanted(YAHOO, "2", {"TEA": 1, "MUG": 1})
    both.shadow.write()
    shown = {"TEA": 0, "MUG": 2, "BOX": 0}
    assert both.shadow.counters == {RAKUTEN: shown, YAHOO: shown}


def test_who_finds_too_little_takes_what_is_left_and_gives_back_no_more(both: Comparison) -> None:
    both.wanted(RAKUTEN, "1", {"TEA": 9})
    assert both.shadow.till.totals["TEA"] == 0
    both.given_back("1", {"TEA": 9}, {"TEA": 5})
    both.given_back("1", {"TEA": 9}, {})
    assert (both.shadow.till.totals["TEA"], both.shadow.counters[RAKUTEN]["TEA"]) == (5, 5)


def test_what_was_never_ordered_is_not_given_back(both: Comparison) -> None:
    both.given_back("1", {"TEA": 1}, {})
    assert both.shadow.till.totals["TEA"] == 5


def test_both_are_told_of_goods_counts_and_numbers_typed_in(both: Comparison) -> None:
    both.sold({"TEA": 2})
    both.arrived({"TEA": 10})
    both.counted("MUG", 7)
    both.typed(YAHOO, "MUG", 99)
    assert both.here.totals == {"TEA": 13, "MUG": 7}
    assert both.shadow.till.totals == {"TEA": 15, "MUG": 7}
    assert (both.shadow.counters[YAHOO]["MUG"], both.shadow.counters[RAKUTEN]["MUG"]) == (99, 3)
    assert both.orders == 1
