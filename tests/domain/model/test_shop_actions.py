"""What may be done with a shop."""

import pytest

from domain.model.roles import PERMISSIONS, Permission, Role
from domain.model.shop_actions import (
    FETCHES_ALREADY,
    GIVEN_UP,
    NO_RIGHT,
    NOT_IN_USE,
    NOT_TOLD,
    OTHER_CODES,
    REFLECT_OFF,
    RUNS_ALREADY,
    STANDS_ALREADY,
    ShopActionKey,
    shop_actions,
)

START, STOP = ShopActionKey.START, ShopActionKey.STOP


@pytest.mark.parametrize(
    ("case", "in_use", "orders", "reflect", "start", "stop"),
    [
        ("off", True, False, False, None, STANDS_ALREADY),
        ("half on", True, True, False, None, None),
        ("on", True, True, True, RUNS_ALREADY, None),
        ("not in use", False, False, False, NOT_IN_USE, STANDS_ALREADY),
    ],
)
def test_switches(case, in_use, orders, reflect, start, stop):
    found = shop_actions(PERMISSIONS[Role.OWNER], in_use=in_use, orders=orders, reflect=reflect)
    reasons = {action.key: action.reason for action in found}
    assert (reasons[START], reasons[STOP]) == (start, stop), case
    assert [action.enabled for action in found] == [action.reason is None for action in found]


@pytest.mark.parametrize(
    ("case", "shop", "fetch", "read"),
    [
        ("switched off", {}, None, None),
        ("under way", {"fetching": True}, FETCHES_ALREADY, None),
        ("a mall that does not tell", {"reads_stock": False}, None, NOT_TOLD),
        ("not in use", {"in_use": False, "fetching": True}, NOT_IN_USE, NOT_IN_USE),
    ],
)
def test_what_is_fetched_and_read(case, shop, fetch, read):
    known = {"in_use": True, "orders": False, "reflect": False} | shop
    reasons = {
        action.key: action.reason for action in shop_actions(PERMISSIONS[Role.OWNER], **known)
    }
    assert reasons[ShopActionKey.FETCH_INITIAL_ORDERS] == fetch, case
    assert reasons[ShopActionKey.READ_MALL_STOCK] == read, case


@pytest.mark.parametrize(
    ("case", "in_use", "reflect", "reason"),
    [
        ("its numbers are sent", True, True, None),
        ("nothing would be sent", True, False, REFLECT_OFF),
        ("not in use", False, False, NOT_IN_USE),
    ],
)
def test_a_full_sync_needs_a_shop_that_is_sent_to(case, in_use, reflect, reason):
    found = shop_actions(PERMISSIONS[Role.STAFF], in_use=in_use, orders=True, reflect=reflect)
    assert {each.key: each.reason for each in found}[ShopActionKey.FULL_SYNC] == reason, case


def test_every_action_needs_its_right():
    staff = shop_actions(PERMISSIONS[Role.STAFF], in_use=True, orders=True, reflect=False)
    assert ShopActionKey.UNLINK_ALL in {action.key for action in staff if action.enabled}
    viewer = shop_actions(PERMISSIONS[Role.VIEWER], in_use=True, orders=True, reflect=False)
    assert {action.reason for action in viewer} == {NO_RIGHT}
    allowed = shop_actions({Permission.SHOPS}, in_use=True, orders=True, reflect=False)
    assert {action.key for action in allowed if action.enabled} == {
        ShopActionKey.CHECK,
        ShopActionKey.RENEW_CREDENTIALS,
        ShopActionKey.DISCONNECT,
    }


def test_a_shop_whose_pages_have_other_codes_takes_no_products():
    for attaches in (True, False):
        found = shop_actions(
            PERMISSIONS[Role.STAFF], in_use=True, orders=True, reflect=True, attaches=attaches
        )
        reasons = {action.key: action.reason for action in found}
        assert reasons[ShopActionKey.ATTACH_PRODUCTS] == (None if attaches else OTHER_CODES)


def test_with_a_shop_that_was_given_up_nothing_can_be_done():
    found = shop_actions(
        PERMISSIONS[Role.OWNER], in_use=False, orders=False, reflect=False, connected=False
    )
    assert {action.key: action.reason for action in found} == dict.fromkeys(ShopActionKey, GIVEN_UP)
