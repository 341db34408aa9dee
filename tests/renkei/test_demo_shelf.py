"""Which products the demo shows, and which orders come when nothing is replayed any more."""

from datetime import UTC, datetime

from renkei.demo.baskets import Baskets
from renkei.demo.shelf import A_FEW, FOODS, ROWS, full, on_show
from renkei.demo.trickle import of_these
from renkei.example_shop.catalogue import RetailProduct
from renkei.example_shop.orders import RetailLine, RetailOrder

AT = datetime(2011, 11, 11, tzinfo=UTC)


def an_order(number: str, *codes: str) -> RetailOrder:
    return RetailOrder(number, AT, tuple(RetailLine(code, 1) for code in codes))


def a_product(code: str, name: str = "", **parts: int) -> RetailProduct:
    return RetailProduct(code, name or code, code, 1, 1, parts)


def test_the_shelf_has_products_of_every_kind() -> None:
    baskets = Baskets(300)
    rows = on_show(baskets.catalogue, baskets.orders)
    assert len(rows) == len({each.code for each in rows}) == ROWS
    assert sum(bool(each.parts) for each in rows) >= 1
    assert sum(each.name != each.shop_name for each in rows) >= FOODS


def test_the_most_asked_for_come_first_and_few_are_shown_whole() -> None:
    catalogue = [a_product("A"), a_product("B"), a_product("C", "お茶"), a_product("S", A=1)]
    orders = [an_order("1", "B", "B"), an_order("2", "B", "C"), an_order("3", "C", "S", "B")]
    assert [each.code for each in on_show(catalogue, orders)] == ["B", "C", "S", "A"]


def test_a_full_shelf_holds_what_it_began_with_and_sets_have_none() -> None:
    tea, mug = RetailProduct("T", "", "", 99, 40, {}), RetailProduct("M", "", "", 2, 1, {})
    chest = a_product("C", T=2)
    assert full([mug, chest], [tea, mug, chest]) == {"M": A_FEW, "T": 40}


def test_orders_keep_the_lines_of_what_is_shown_and_those_without_any_are_left_out() -> None:
    orders = [an_order("1", "A", "B"), an_order("2", "C"), an_order("3", "B")]
    assert of_these(orders, {"B"}) == [an_order("1", "B"), an_order("3", "B")]
