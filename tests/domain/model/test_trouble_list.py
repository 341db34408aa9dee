"""反映されないとき: every check, in the merchant's order."""

import pytest

from domain.model.diff import NotPushed
from domain.model.trouble_list import trouble_list


def test_the_checks_go_from_the_account_down_to_the_number():
    assert [each.key.value for each in trouble_list(())] == [
        "MASTER_STOPPED",
        "SHOP_NOT_IN_USE",
        "SHOP_REFLECT_STOPPED",
        "SHOP_HALTED",
        "PRODUCT_UNMANAGED",
        "LISTING_SYNC_OFF",
        "UNLINKED",
        "LINK_CONFLICT",
        "FULFILLED_BY_MALL",
        "UNLIMITED_AT_MALL",
        "UNKNOWN_AT_MALL",
        "CHANGED_AT_MALL",
        "NOTHING_LIMITS",
    ]


@pytest.mark.parametrize("reason", NotPushed)
def test_what_keeps_the_number_back_is_not_ok_and_says_so(reason):
    good = {each.key: each.words for each in trouble_list(())}
    for each in trouble_list([reason]):
        assert each.ok is (each.key is not reason)
        assert (each.words == good[each.key]) is each.ok
        assert each.words.ja.endswith("。")
        assert each.words.en.endswith(".")
