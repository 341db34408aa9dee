"""The malls' books: counters, what is shown, purchases and cancels, and that a killed sandbox forgets nothing."""

import subprocess
import sys
from datetime import timedelta

import pytest

from integrations.sandbox.clock import Clock
from integrations.sandbox.ledger import Ledger, NewItem, Shop, SoldOut, StockWrite, Unknown
from tests.integrations.sandbox.rig import NOON, Hand

TEE = ("tee", "m")
MUG = ("mug", "")


class Rules:
    def sells(self, item):
        return not item.attributes.get("closed")

    def lowers(self, item):
        return not item.attributes.get("unlimited")

    def oversells(self, item):
        return bool(item.attributes.get("overdraft"))


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def ledger(hand):
    ledger = Ledger(Clock(1, hand))
    yield ledger
    ledger.close()


@pytest.fixture
def shop(ledger):
    shop = ledger.save_shop(Shop("kaede", "s1", {"key": "k"}, {}))
    ledger.put_items(shop, [NewItem(*TEE, "Tee", 5), NewItem(*MUG, "Mug", 3)])
    return shop


def place(ledger, shop, *lines):
    return ledger.place(
        shop,
        lines,
        Rules(),
        number=lambda sequence: f"n{sequence}",
        status="NEW",
        visible_at=ledger.clock.after(60),
        details={},
    )


def numbers(ledger, shop, key=TEE):
    item = ledger.item(shop, key)
    return (item.quantity, item.shown)


@pytest.mark.parametrize(
    ("case", "write", "counter"),
    [
        ("an absolute number", StockWrite(TEE, 9), 9),
        ("a delta up", StockWrite(TEE, 2, relative=True), 7),
        ("a delta down", StockWrite(TEE, -2, relative=True), 3),
        ("attributes only", StockWrite(TEE, None, attributes={"overdraft": True}), 5),
    ],
)
def test_what_a_write_makes_of_the_counter(ledger, shop, case, write, counter):
    ledger.write(shop, [write], source="test")
    assert numbers(ledger, shop) == (counter, counter), case
    assert [written.quantity for written in ledger.written(shop)] == [counter], case


def test_attributes_are_merged_and_none_removes_one(ledger, shop):
    ledger.put_items(shop, [NewItem(*TEE, attributes={"a": 1, "b": 2})])
    ledger.write(shop, [StockWrite(TEE, None, attributes={"b": None, "c": 3})], source="test")
    assert ledger.item(shop, TEE).attributes == {"a": 1, "c": 3}


def test_a_written_number_is_shown_after_the_display_delay_and_sales_at_once(ledger, shop, hand):
    ledger.write(shop, [StockWrite(TEE, 9)], source="test", show_at=NOON + timedelta(seconds=30))
    assert numbers(ledger, shop) == (9, 5)
    place(ledger, shop, (TEE, 2))
    assert numbers(ledger, shop) == (7, 3)
    hand.move(seconds=30)
    assert numbers(ledger, shop) == (7, 7)


def test_a_write_applied_later_overwrites_the_sale_before_it(ledger, shop, hand):
    ledger.write(shop, [StockWrite(TEE, 5)], source="test", apply_at=NOON + timedelta(seconds=60))
    place(ledger, shop, (TEE, 2))
    assert numbers(ledger, shop) == (3, 3)
    hand.move(seconds=60)
    assert numbers(ledger, shop) == (5, 5)


def test_a_purchase_takes_all_lines_or_none(ledger, shop):
    with pytest.raises(SoldOut):
        place(ledger, shop, (TEE, 2), (MUG, 4))
    with pytest.raises(Unknown):
        place(ledger, shop, (TEE, 2), (("nope", ""), 1))
    assert (numbers(ledger, shop), numbers(ledger, shop, MUG)) == ((5, 5), (3, 3))
    assert ledger.orders(shop, hidden=True) == []


@pytest.mark.parametrize(
    ("case", "attributes", "wanted", "left"),
    [
        ("the last unit", {}, 5, 0),
        ("below zero where the mall oversells", {"overdraft": True}, 7, -2),
        ("unlimited stock is not counted", {"unlimited": True}, 7, 5),
    ],
)
def test_what_a_purchase_leaves(ledger, shop, case, attributes, wanted, left):
    ledger.put_items(shop, [NewItem(*TEE, quantity=5, attributes=attributes)])
    place(ledger, shop, (TEE, wanted))
    assert numbers(ledger, shop) == (left, left), case


def test_a_closed_item_is_not_sold_whatever_its_counter(ledger, shop):
    ledger.put_items(shop, [NewItem(*TEE, quantity=5, attributes={"closed": True})])
    with pytest.raises(SoldOut):
        place(ledger, shop, (TEE, 1))


@pytest.mark.parametrize(("restocks", "counter"), [(True, 4), (False, 2)])
def test_a_cut_gives_back_what_the_item_allows(ledger, shop, restocks, counter):
    order = place(ledger, shop, (TEE, 3), (MUG, 1))
    cut = ledger.release(shop, order, TEE, 2, restock=lambda _: restocks)
    assert [(line.ordered, line.quantity) for line in cut.lines] == [(3, 1), (1, 1)]
    assert numbers(ledger, shop)[0] == counter
    assert ledger.order(shop, order.number) == cut


def test_units_never_taken_are_never_given_back(ledger, shop):
    ledger.put_items(shop, [NewItem(*TEE, quantity=5, attributes={"unlimited": True})])
    order = place(ledger, shop, (TEE, 3))
    ledger.release(shop, order, None, 3, restock=lambda _: True)
    assert numbers(ledger, shop)[0] == 5


def test_orders_are_listed_from_their_moment_on_and_found_by_the_time_they_were_placed(
    ledger, shop, hand
):
    first = place(ledger, shop, (TEE, 1))
    assert ledger.orders(shop) == []
    assert ledger.listed(shop, first.number) is None
    hand.move(seconds=60)
    second = place(ledger, shop, (TEE, 1))
    assert ledger.orders(shop) == [first]
    assert ledger.listed(shop, first.number) == first
    assert ledger.orders(shop, placed_since=hand.at, hidden=True) == [second]
    assert ledger.orders(shop, placed_until=NOON, hidden=True) == [first]


def test_one_shop_does_not_see_another(ledger, shop):
    other = ledger.save_shop(Shop("kaede", "s2", {"key": "other"}, {}))
    assert ledger.items(other) == []
    assert ledger.shop_with("kaede", key="other") == other
    assert ledger.shop_with("kaede", key="nobody's") is None


KILLED = """
import os, signal, sys
from pathlib import Path
from integrations.sandbox.clock import Clock
from integrations.sandbox.ledger import Ledger, NewItem, Shop, StockWrite
ledger = Ledger(Clock(), Path(sys.argv[1]))
shop = ledger.save_shop(Shop("kaede", "s1", {}, {}))
ledger.put_items(shop, [NewItem("tee", "m", "Tee", 5)])
ledger.write(shop, [StockWrite(("tee", "m"), 2)], source="test")
ledger.put_record("kaede", "token", "t", {"seller": "s1"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_sandbox_comes_back_with_its_books(tmp_path):
    path = tmp_path / "malls.sqlite"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert ended.returncode == -9
    ledger = Ledger(Clock(), path)
    shop = ledger.shop("kaede", "s1")
    assert ledger.item(shop, TEE).quantity == 2
    assert ledger.record("kaede", "token", "t") == {"seller": "s1"}
    ledger.close()


def test_the_books_are_for_their_owners_eyes_only(tmp_path):
    path = tmp_path / "sandbox.state"
    path.touch(mode=0o644)
    ledger = Ledger(Clock(1), path)
    ledger.save_shop(Shop("rakuten", "1", {"key": "secret"}, {}))
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    ledger.close()
    assert modes == {
        "sandbox.state": 0o600,
        "sandbox.state-shm": 0o600,
        "sandbox.state-wal": 0o600,
    }
