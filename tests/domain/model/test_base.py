"""When a belief about a mall's counter moves, stays, or is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model import base as bases
from domain.model.base import Base, CounterChange, MallStockSource
from domain.model.malls import ItemRef, MallTime, StockReading

SECOND = timedelta(seconds=1)
MUG = ItemRef("mug")


def at(seconds: float) -> datetime:
    return datetime(2026, 4, 1, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def during(earliest: float, latest: float) -> MallTime:
    return MallTime(at(earliest), at(latest))


def sold(base: Base, units: int, placed: datetime, clock_error: float = 0) -> Base:
    """An order of `units`, whose stamp is of a whole second."""
    moment = bases.stamped(placed, SECOND, timedelta(seconds=clock_error))
    return bases.after_change(base, CounterChange(units, moment), restocks=None)


WRITTEN = bases.after_write(Base(), 10, during(100, 101))


@pytest.mark.parametrize(
    ("case", "placed", "clock_error", "quantity"),
    [
        ("long before our write: it was overwritten", 50, 0, 10),
        ("its second ended before our write", 98.9, 0, 10),
        ("its second reaches into our write: nobody knows", 99, 0, None),
        ("while our write was on its way: nobody knows", 100, 0, None),
        ("in the moment of the answer: nobody knows", 101, 0, None),
        ("after the answer: the counter fell", 101.5, 0, 7),
        ("long after: the counter fell", 500, 0, 7),
        ("before, but the mall's clock may be wrong", 97, 2, None),
        ("after, but the mall's clock may be wrong", 102, 2, None),
        ("after, however wrong the clock", 104, 2, 7),
    ],
)
def test_a_sale_moves_the_base_only_if_it_came_after_it(case, placed, clock_error, quantity):
    moved = sold(WRITTEN, 3, at(placed), clock_error)
    assert moved.quantity == quantity, case


@pytest.mark.parametrize(
    ("case", "moment", "restocks", "quantity"),
    [
        ("put back after our write", during(105, 110), True, 12),
        ("not put back", during(105, 110), False, 10),
        ("not put back, whenever it was", during(99, 102), False, 10),
        ("perhaps put back", during(105, 110), None, None),
        ("put back before our write: overwritten", during(90, 99), True, 10),
        ("perhaps put back before our write: overwritten all the same", during(90, 99), None, 10),
        ("put back before or after our write", during(90, 110), True, None),
    ],
)
def test_a_cancel_moves_the_base_only_if_the_mall_restocks(case, moment, restocks, quantity):
    assert bases.after_cancel(WRITTEN, 2, moment, restocks).quantity == quantity, case


def test_the_base_keeps_its_time_so_that_sales_may_be_learnt_of_in_any_order():
    first = sold(sold(WRITTEN, 1, at(200)), 2, at(150))
    second = sold(sold(WRITTEN, 2, at(150)), 1, at(200))
    assert first == second
    assert (first.quantity, first.at, first.source) == (
        7,
        during(100, 101),
        MallStockSource.ORDER,
    )


def test_what_is_unknown_stays_unknown_until_a_write_or_a_reading():
    lost = bases.unknown(WRITTEN)
    assert lost.quantity is None
    assert sold(lost, 1, at(200)).quantity is None
    assert bases.after_cancel(lost, 1, during(200, 201), True).quantity is None
    assert bases.after_delta(lost, 1, during(210, 211)).quantity is None
    assert bases.after_write(lost, 4, during(300, 301)).quantity == 4


def test_a_counter_below_zero_means_that_someone_changed_it():
    assert sold(WRITTEN, 11, at(200)).quantity is None


@pytest.mark.parametrize(
    ("case", "sale", "quantity"),
    [
        ("a sale known before the write was sent is overwritten", 90, 8),
        ("a sale learnt of while the write was on its way", 120.5, None),
        ("a sale of the second in which it was sent", 119.5, None),
        ("a sale that may be older than the answer", 121, None),
    ],
)
def test_a_write_is_believed_only_if_it_began_after_all_we_know(case, sale, quantity):
    known = sold(WRITTEN, 1, at(sale))
    assert bases.after_write(known, 8, during(120, 121)).quantity == quantity, case


def test_a_reading_contains_what_was_sold_before_it():
    read = bases.after_reading(WRITTEN, StockReading(MUG, during(200, 201), quantity=6))
    assert (read.quantity, read.source) == (6, MallStockSource.READ_BACK)
    assert sold(read, 1, at(150)).quantity == 6
    assert sold(read, 1, at(250)).quantity == 5


@pytest.mark.parametrize(
    ("case", "reading"),
    [
        ("no such code", StockReading(MUG, during(200, 201), found=False)),
        ("unlimited is not a number", StockReading(MUG, during(200, 201), unlimited=True)),
        ("no number", StockReading(MUG, during(200, 201))),
    ],
)
def test_a_reading_without_a_number_leaves_the_base_unknown(case, reading):
    assert bases.after_reading(WRITTEN, reading).quantity is None, case


def test_a_reading_in_doubt_is_believed_only_where_it_says_the_same():
    after = sold(WRITTEN, 3, at(200))
    same = StockReading(MUG, during(200, 201), quantity=7)
    other = StockReading(MUG, during(200, 201), quantity=10)
    assert bases.after_reading(after, same) == after
    assert bases.after_reading(after, other).quantity is None


@pytest.mark.parametrize(
    ("case", "moment", "quantity"),
    [
        ("asked and answered before our write was sent", during(98, 99), 10),
        ("it may have seen the number before our write", during(99, 100.5), None),
        ("asked while our write was on its way", during(100.5, 102), None),
        ("asked after our write", during(102, 103), 4),
    ],
)
def test_a_reading_never_undoes_a_newer_write(case, moment, quantity):
    read = bases.after_reading(WRITTEN, StockReading(MUG, moment, quantity=4))
    assert read.quantity == quantity, case


@pytest.mark.parametrize(
    ("case", "moment", "quantity"),
    [
        ("begun before the write was given up", during(199, 201), None),
        ("begun while the write may still land", during(216, 217), None),
        ("begun when it can land no more", during(276, 277), 4),
    ],
)
def test_nothing_is_believed_while_a_lost_write_may_land(case, moment, quantity):
    lost = bases.unanswered(WRITTEN, during(200, 215), at(275))
    assert bases.after_reading(lost, StockReading(MUG, moment, quantity=4)).quantity == quantity
    assert bases.after_write(lost, 4, moment).quantity == quantity, case


def test_a_relative_write_moves_the_base_and_keeps_its_time():
    moved = bases.after_delta(WRITTEN, -4, during(110, 111))
    assert (moved.quantity, moved.at) == (6, during(100, 101))
    assert bases.after_delta(WRITTEN, -4, during(100.5, 111)).quantity is None
    reading = StockReading(MUG, during(110.5, 111.5), quantity=10)
    assert bases.after_reading(moved, reading).quantity is None


@pytest.mark.parametrize(
    ("case", "base", "now", "carries"),
    [
        ("written a minute ago", WRITTEN, 161, True),
        ("within the hour", WRITTEN, 101 + 3600, True),
        ("longer ago", WRITTEN, 101.1 + 3600, False),
        ("this very moment", WRITTEN, 103, False),
        ("from a file", bases.after_file(Base(), 5, during(100, 101)), 161, False),
        ("never seen", Base(), 161, False),
    ],
)
def test_what_a_change_may_rest_on(case, base, now, carries):
    assert bases.carries_a_change(base, at(now)) is carries, case


def test_a_file_is_only_as_good_as_its_time():
    dated = bases.after_file(Base(), 5, during(100, 101))
    assert (dated.quantity, dated.source) == (5, MallStockSource.FILE)
    assert sold(dated, 1, at(200)).quantity == 4
    whenever = bases.after_file(Base(), 5, during(-9_999, 101))
    assert sold(whenever, 1, at(50)).quantity is None
    assert bases.after_file(WRITTEN, 5, during(50, 60)) == WRITTEN
    assert bases.after_file(WRITTEN, 10, during(-9_999, 300)) == WRITTEN
    assert bases.after_file(WRITTEN, 5, during(-9_999, 300)).quantity is None


@pytest.mark.parametrize(
    ("units", "restocks", "quantity"),
    [(2, None, 8), (-2, True, 12), (-2, False, 10), (-2, None, None)],
)
def test_a_change_is_a_sale_or_a_cancel(units, restocks, quantity):
    change = CounterChange(units, during(200, 210))
    assert bases.after_change(WRITTEN, change, restocks).quantity == quantity
