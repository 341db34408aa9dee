"""The example shop: rules as small cases, and the figures that examples/data/README.md states of the whole slice."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from renkei.example_shop.catalogue import FOODS_FILE, SETS, catalogue_of, read_foods
from renkei.example_shop.orders import RetailLine, busiest, read_orders, shop_of
from renkei.example_shop.rows import ORDERS_FILE, RetailRow, read_rows

DATA = Path(__file__).parents[2] / "examples" / "data"
START = datetime(2011, 11, 1, 8, 0, tzinfo=UTC)


def row(invoice, code="21314", quantity=1, *, minutes=0, price="2.10", customer="7", name="POT"):
    at = START + timedelta(minutes=minutes)
    return RetailRow(invoice, code, name, quantity, at, Decimal(price), customer)


def brief(stream) -> list[tuple[str, str | None, dict[str, int]]]:
    return [
        (order.number, order.cancels, {line.code: line.quantity for line in order.lines})
        for order in stream.orders
    ]


@pytest.fixture(scope="module")
def rows_of_slice():
    return list(read_rows(DATA / ORDERS_FILE))


@pytest.fixture(scope="module")
def slice_(rows_of_slice):
    return read_orders(rows_of_slice)


def test_an_order_holds_its_lines_repeated_ones_too_and_its_first_minute():
    stream = read_orders([row("1"), row("1", quantity=2, minutes=1), row("1", "22222")])

    [order] = stream.orders
    assert order.placed_at == START
    assert order.lines == (RetailLine("21314", 1), RetailLine("21314", 2), RetailLine("22222", 1))


@pytest.mark.parametrize(
    ("case", "rows", "expected"),
    [
        ("letter case is folded", [row("1", "85123a")], [("1", None, {"85123A": 1})]),
        ("postage is no product", [row("1", "POST")], []),
        ("nor is a voucher", [row("1"), row("1", "gift_0001_10")], [("1", None, {"21314": 1})]),
        ("a write-off is no order", [row("1", quantity=-3, price="0", customer="")], []),
        ("goods found are no order", [row("1", quantity=84, price="0", customer="")], []),
        (
            "a gift within an order left the shelf",
            [row("1", customer=""), row("1", "22222", price="0", customer="")],
            [("1", None, {"21314": 1, "22222": 1})],
        ),
        (
            "goods given to a known customer left the shelf",
            [row("1", quantity=12540, price="0")],
            [("1", None, {"21314": 12540})],
        ),
    ],
)
def test_what_is_an_order(case, rows, expected):
    assert brief(read_orders(rows)) == expected, case


@pytest.mark.parametrize(
    ("case", "rows", "cancels", "unmatched"),
    [
        (
            "the order before it",
            [row("1", quantity=5), row("C2", quantity=-2)],
            [("C2", "1", 2)],
            0,
        ),
        (
            "the newest first, then the one before",
            [row("1", quantity=5), row("2", quantity=5), row("C3", quantity=-7)],
            [("C3", "2", 5), ("C3", "1", 2)],
            0,
        ),
        (
            "never more than was sold",
            [row("1", quantity=5), row("C2", quantity=-4), row("C3", quantity=-4)],
            [("C2", "1", 4), ("C3", "1", 1)],
            3,
        ),
        (
            "two lines of one item in one order",
            [row("1", quantity=1), row("1", quantity=1), row("C2", quantity=-2)],
            [("C2", "1", 2)],
            0,
        ),
        ("another customer's", [row("1", customer="8"), row("C2", quantity=-1)], [], 1),
        ("another item's", [row("1", "22222"), row("C2", quantity=-1)], [], 1),
        ("a sale that comes later", [row("C1", quantity=-1), row("2")], [], 1),
        (
            "nobody's",
            [row("1", customer=""), row("C2", quantity=-1, customer="")],
            [],
            1,
        ),
    ],
)
def test_which_order_a_cancellation_cancels(case, rows, cancels, unmatched):
    stream = read_orders(rows)

    found = [
        (order.number, order.cancels, sum(line.quantity for line in order.lines))
        for order in stream.orders
        if order.cancels
    ]
    assert found == cancels, case
    assert stream.account.unmatched_cancel_units == unmatched, case


def test_the_most_frequent_name_is_the_products_without_its_padding():
    rows = [row("1", name=" POT  "), row("2", name="POTS"), row("3", name="POT")]

    assert read_orders(rows).names == {"21314": "POT"}


def test_a_cancellation_belongs_to_the_shop_of_its_order():
    order, cancel = read_orders([row("573744"), row("C573745", quantity=-1)]).orders

    assert shop_of(order, 3) == shop_of(cancel, 3)
    assert [shop_of(order, shops) for shops in (1, 2, 3, 10)] == [0, 1, 0, 1]


def test_parts_are_asked_for_with_their_set_and_a_set_has_no_stock():
    names = {"22734": "SET OF 6 RIBBONS", "23435": "3 RAFFIA RIBBONS"}
    stream = read_orders([row("1", "22734", 10), row("1", "23435", 3)])

    part, whole = sorted(
        catalogue_of(stream.orders, names, []), key=lambda each: each.starting_stock
    )[::-1]

    assert (part.code, part.demand, part.starting_stock) == ("23435", 23, 14)
    assert (whole.code, whole.demand, whole.starting_stock, whole.parts) == (
        "22734",
        10,
        0,
        {"23435": 2},
    )


def test_the_slice_is_the_one_the_readme_describes():
    packed = (DATA / ORDERS_FILE).read_bytes()
    readme = (DATA / "README.md").read_text(encoding="utf-8")

    assert sha256(packed).hexdigest() in readme
    assert sha256((DATA / FOODS_FILE).read_bytes()).hexdigest() in readme


def test_the_counts_of_the_slice_before_anything_is_left_out(rows_of_slice):
    invoices = {row.invoice for row in rows_of_slice}
    fortnight = ("2011-11-11", "2011-11-24")

    assert (len(rows_of_slice), len(invoices)) == (110_236, 4_477)
    assert sum(invoice.startswith("C") for invoice in invoices) == 587
    assert sum(row.invoice.startswith("C") for row in rows_of_slice) == 1_436
    assert len({row.code for row in rows_of_slice}) == 3_037
    days = [row.at.date().isoformat() for row in rows_of_slice]
    assert sum(fortnight[0] <= day <= fortnight[1] for day in days) == 42_501


def test_every_row_of_the_slice_is_accounted_for(slice_):
    account = slice_.account

    assert account.rows == 110_236
    assert account.sale_lines == 108_135
    assert account.cancel_lines == 1_364
    assert account.adjustment_lines == 300
    assert account.non_items.total() == 437
    assert account.rows == 108_135 + 1_364 + 300 + 437
    assert (account.adjusted_up, account.adjusted_down) == (4_094, 23_829)
    assert account.folded_lines == 293


def test_orders_and_cancellations_of_the_slice(slice_):
    orders = [order for order in slice_.orders if order.cancels is None]
    cancels = [order for order in slice_.orders if order.cancels is not None]

    assert (len(orders), len({order.number for order in orders})) == (3_568, 3_568)
    assert len(cancels) == 342
    assert sum(len(order.lines) for order in orders) == slice_.account.sale_lines
    assert units(orders) == slice_.account.units_sold == 1_076_210
    assert units(cancels) == slice_.account.units_given_back == 90_496
    assert slice_.account.unmatched_cancel_units == 5_386
    assert slice_.account.unmatched_cancel_lines == 668
    assert slice_.account.anonymous_cancel_lines == 14


def units(orders) -> int:
    return sum(line.quantity for order in orders for line in order.lines)


def test_no_cancellation_comes_before_its_order_or_gives_back_more(slice_):
    left = {}
    for order in slice_.orders:
        for line in order.lines:
            key = (order.original, line.code)
            left[key] = left.get(key, 0) + (-line.quantity if order.cancels else line.quantity)
            assert left[key] >= 0, (order, line)


def test_the_slice_runs_in_time(slice_):
    times = [order.placed_at for order in slice_.orders]

    assert times == sorted(times)
    assert (times[0].date().isoformat(), times[-1].date().isoformat()) == (
        "2011-11-01",
        "2011-12-09",
    )


def test_the_fat_finger_order_is_kept_and_cancelled_twelve_minutes_later(slice_):
    order, cancel = [order for order in slice_.orders if order.original == "581483"]

    assert order.lines == cancel.lines == (RetailLine("23843", 80_995),)
    assert cancel.placed_at - order.placed_at == timedelta(minutes=12)


def test_three_shops_share_the_orders_about_evenly(slice_):
    shares = Counter(shop_of(order, 3) for order in slice_.orders)

    assert shares.keys() == {0, 1, 2}
    assert min(shares.values()) > 0.3 * len(slice_.orders)


def test_the_busiest_fortnight(slice_):
    orders = busiest(slice_.orders, days=14)

    days = {order.placed_at.date().isoformat() for order in orders}
    assert (min(days), max(days), len(orders)) == ("2011-11-11", "2011-11-24", 1_485)
    assert busiest((), days=14) == ()


def test_the_catalogue_of_the_slice(slice_):
    foods = read_foods(DATA / FOODS_FILE)
    products = {each.code: each for each in catalogue_of(slice_.orders, slice_.names, foods)}

    assert (len(foods), len(products)) == (2_478, 2_956)
    assert all(
        each.starting_stock >= each.demand * 0.6 for each in products.values() if not each.parts
    )
    assert {code: each.parts for code, each in products.items() if each.parts} == SETS
    assert products["23263"].name == "SET OF 3 WOODEN HEART DECORATIONS"
    japanese = [each for each in products.values() if each.name != each.shop_name]
    assert len(japanese) == 985
    assert {each.name for each in japanese} <= set(foods)


def test_a_product_is_called_the_same_whichever_orders_are_looked_at(slice_):
    foods = read_foods(DATA / FOODS_FILE)
    whole = {each.code: each.name for each in catalogue_of(slice_.orders, slice_.names, foods)}
    some = {
        each.code: each.name for each in catalogue_of(slice_.orders[:2000], slice_.names, foods)
    }

    assert len(some) < len(whole)
    assert some.items() <= whole.items()
