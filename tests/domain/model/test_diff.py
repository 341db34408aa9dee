"""What is a difference, what is grey, what is on its way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.base import Base, MallStockSource
from domain.model.diff import (
    GREY,
    HELD,
    Assessment,
    DifferenceCause,
    ListingFacts,
    NotPushed,
    assess,
)
from domain.model.reflect import PushState
from domain.model.shops import ShopState

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
GRACE = timedelta(minutes=5)
JUST_NOW, LONG_AGO = NOW - timedelta(minutes=4), NOW - timedelta(minutes=5)
WRITTEN = Base(7, source=MallStockSource.APPLIED_PUSH)
UNKNOWN = Base(None, source=MallStockSource.APPLIED_PUSH)
RIGHT = ListingFacts(expected=7, base=WRITTEN, grace=GRACE)
WRONG = replace(RIGHT, expected=5)
WAITING = {"wanted": 2, "done": 1, "waiting_since": JUST_NOW}


@pytest.mark.parametrize(
    ("case", "facts", "reason"),
    [
        ("the account's sync is stopped", {"master_running": False}, NotPushed.MASTER_STOPPED),
        ("the shop is not in use", {"shop_in_use": False}, NotPushed.SHOP_NOT_IN_USE),
        ("its reflect is off", {"shop_reflect_running": False}, NotPushed.SHOP_REFLECT_STOPPED),
        ("it is halted", {"shop_state": ShopState.HALTED}, NotPushed.SHOP_HALTED),
        ("it is being probed", {"shop_state": ShopState.PROBING}, NotPushed.SHOP_HALTED),
        ("the product is not managed", {"managed": False}, NotPushed.PRODUCT_UNMANAGED),
        ("the tick is off", {"sync": False}, NotPushed.LISTING_SYNC_OFF),
        ("no product", {"linked": False, "expected": None, "managed": False}, NotPushed.UNLINKED),
        (
            "two listings, and this would rise",
            {"conflict": True, "expected": 9},
            NotPushed.LINK_CONFLICT,
        ),
        ("the mall fulfils it", {"fulfilled_by_mall": True}, NotPushed.FULFILLED_BY_MALL),
        ("unlimited there", {"unlimited_at_mall": True}, NotPushed.UNLIMITED_AT_MALL),
        ("no such code there", {"unknown_at_mall": True}, NotPushed.UNKNOWN_AT_MALL),
        ("an edit at the mall is undecided", {"doubted": True}, NotPushed.CHANGED_AT_MALL),
        ("no part limits the set", {"expected": None}, NotPushed.NOTHING_LIMITS),
    ],
)
def test_why_a_listing_is_not_pushed(case, facts, reason):
    assessment = assess(replace(WRONG, **facts), NOW)
    assert assessment.not_pushed == (reason,), case
    assert (assessment.difference is None) == (reason in GREY), case
    assert not assessment.on_first_way, case


def test_a_zero_goes_out_whatever_was_edited_at_the_mall():
    facts = replace(WRONG, expected=0, doubted=True)
    assert assess(facts, NOW).not_pushed == ()


def test_every_reason_is_either_grey_or_held():
    assert set(NotPushed) == GREY | HELD
    assert not GREY & HELD


def test_all_reasons_are_named_from_the_account_down():
    facts = replace(WRONG, master_running=False, sync=False, shop_state=ShopState.HALTED)
    assert assess(facts, NOW).not_pushed == (
        NotPushed.MASTER_STOPPED,
        NotPushed.SHOP_HALTED,
        NotPushed.LISTING_SYNC_OFF,
    )


@pytest.mark.parametrize(
    ("case", "facts", "cause"),
    [
        ("the edit waits for a reflect", {"waits_for_reflect": True}, "EDIT_NOT_REFLECTED"),
        ("a push failed and waits", WAITING | {"attempts_failed": 1}, "PUSH_FAILED"),
        ("the mall refused it", {"last_outcome": PushState.REFUSED}, "PUSH_FAILED"),
        ("a push failed, the edit too waits", WAITING | {"attempts_failed": 1, "waits_for_reflect": True}, "PUSH_FAILED"),
        ("an edit after a refused push", {"last_outcome": PushState.REFUSED, "waits_for_reflect": True}, "EDIT_NOT_REFLECTED"),
        ("the shop is halted", {"shop_state": ShopState.HALTED} | WAITING, "SHOP_HALTED"),
        ("halted before stopped", {"shop_state": ShopState.HALTED, "master_running": False}, "SHOP_HALTED"),
        ("the shop's reflect is off", {"shop_reflect_running": False} | WAITING, "SHOP_STOPPED"),
        ("the account's sync is off", {"master_running": False, "waits_for_reflect": True}, "SHOP_STOPPED"),
        ("an edit at the mall is undecided", {"doubted": True, "waits_for_reflect": True}, "CHANGED_AT_MALL"),
        ("undecided, and the shop's reflect is off", {"doubted": True, "shop_reflect_running": False}, "SHOP_STOPPED"),
        ("an item file said otherwise", {"base": Base(7, source=MallStockSource.FILE)}, "IMPORTED_DIFFERENT"),
        ("a reading said otherwise", {"base": Base(7, source=MallStockSource.READ_BACK)}, "CHANGED_AT_MALL"),
        ("accepted, and not shown in time", {"last_outcome": PushState.ACCEPTED, "waiting_since": LONG_AGO}, "NOT_APPLIED"),
        ("read back otherwise after it was accepted", {"last_outcome": PushState.ACCEPTED, "waiting_since": LONG_AGO, "base": Base(7, source=MallStockSource.READ_BACK)}, "NOT_APPLIED"),
        ("a push that waits too long", WAITING | {"waiting_since": LONG_AGO}, "NOT_APPLIED"),
    ],
)  # fmt: skip
def test_the_cause_of_a_difference(case, facts, cause):
    assessment = assess(replace(WRONG, **facts), NOW)
    assert assessment.difference is DifferenceCause(cause), case
    assert not assessment.on_first_way, case


@pytest.mark.parametrize(
    ("case", "facts"),
    [
        ("waiting", WAITING),
        ("waiting, and the edit goes with it", WAITING | {"waits_for_reflect": True}),
        (
            "accepted, not shown yet",
            {"last_outcome": PushState.ACCEPTED, "waiting_since": JUST_NOW},
        ),
        ("anew after a refused one", WAITING | {"last_outcome": PushState.REFUSED}),
        ("while the shop catches up", WAITING | {"shop_state": ShopState.CATCHING_UP}),
    ],
)
def test_what_is_on_its_first_way_is_no_difference(case, facts):
    assert assess(replace(WRONG, **facts), NOW) == Assessment((), None, False, True), case


def test_a_right_number_is_no_difference():
    assert assess(RIGHT, NOW) == Assessment((), None, False, False)
    assert assess(replace(RIGHT, waits_for_reflect=True), NOW).difference is None


def test_an_unknown_base_is_its_own_state():
    assert assess(replace(WRONG, base=UNKNOWN), NOW) == Assessment((), None, True, False)
    waiting = assess(replace(WRONG, base=UNKNOWN, **WAITING), NOW)
    assert (waiting.unknown_base, waiting.on_first_way) == (True, True)
    assert not assess(replace(WRONG, base=UNKNOWN, sync=False), NOW).unknown_base


@pytest.mark.parametrize(
    ("case", "expected", "shown", "goes_out", "difference"),
    [
        ("a fall goes out", 5, 7, True, DifferenceCause.NOT_APPLIED),
        ("so does zero", 0, 7, True, DifferenceCause.NOT_APPLIED),
        ("zero even if nobody knows what is shown", 0, None, True, None),
        ("a raise is held, by rule", 9, 7, False, None),
        ("what might be a raise too", 5, None, False, None),
        ("nothing to do", 7, 7, False, None),
    ],
)
def test_several_listings_on_one_product_are_never_raised(
    case, expected, shown, goes_out, difference
):
    facts = ListingFacts(expected, Base(shown, source=MallStockSource.ORDER), conflict=True)
    assessment = assess(facts, NOW)
    assert (NotPushed.LINK_CONFLICT not in assessment.not_pushed) == goes_out, case
    assert assessment.difference is difference, case
