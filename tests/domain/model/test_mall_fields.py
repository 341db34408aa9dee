"""Fields of the malls' own: what may be entered; and what codes make a listing."""

import pytest

from domain.model.attaching import attached, check_attaches
from domain.model.errors import DomainError
from domain.model.mall_fields import FieldChange, FieldOwner, checked_change, travelling
from domain.model.malls import ItemRef, MallKind

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
LEAD_TIME, OVERDRAFT, RESTOCK = "lead_time_to_ship_max_days", "allow_overdraft", "restock_date"


def test_what_travels_with_stock_at_each_mall():
    assert {mall: list(travelling(mall)) for mall in (RAKUTEN, YAHOO, AMAZON)} == {
        RAKUTEN: [],
        YAHOO: [OVERDRAFT],
        AMAZON: [LEAD_TIME, RESTOCK],
    }


@pytest.mark.parametrize(
    ("mall", "key", "entered", "kept"),
    [
        (YAHOO, OVERDRAFT, "1", "1"),
        (YAHOO, OVERDRAFT, " 0 ", "0"),
        (YAHOO, OVERDRAFT, "", None),
        (AMAZON, LEAD_TIME, "0", "0"),
        (AMAZON, LEAD_TIME, "14", "14"),
        (AMAZON, RESTOCK, "2026-12-31", "2026-12-31"),
        (AMAZON, RESTOCK, None, None),
    ],
)
def test_a_value_is_kept_as_the_mall_writes_it(mall, key, entered, kept):
    change = checked_change(mall, FieldChange(key, entered, sets_value=True))
    assert change == FieldChange(key, kept, sets_value=True)


@pytest.mark.parametrize(
    ("mall", "key", "entered", "code"),
    [
        (YAHOO, OVERDRAFT, "2", "INVALID_VALUE"),
        (YAHOO, OVERDRAFT, "true", "INVALID_VALUE"),
        (AMAZON, LEAD_TIME, "-1", "INVALID_VALUE"),
        (AMAZON, LEAD_TIME, "100", "INVALID_VALUE"),
        (AMAZON, LEAD_TIME, "٣", "INVALID_VALUE"),
        (AMAZON, RESTOCK, "2026-02-30", "INVALID_VALUE"),
        (AMAZON, RESTOCK, "20261231", "INVALID_VALUE"),
        (YAHOO, "stock_close", "1", "NOT_SUPPORTED_BY_MALL"),
        (AMAZON, OVERDRAFT, "1", "NOT_SUPPORTED_BY_MALL"),
        (RAKUTEN, LEAD_TIME, "1", "NOT_SUPPORTED_BY_MALL"),
    ],
)
def test_what_the_mall_does_not_take_is_refused(mall, key, entered, code):
    with pytest.raises(DomainError) as refused:
        checked_change(mall, FieldChange(key, entered, sets_value=True, owner=FieldOwner.US))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("mall", "match_key", "code", "ref"),
    [
        (YAHOO, ["sub-code"], "tea-1", ItemRef("tea-1")),
        (YAHOO, ["code"], "A" * 99, ItemRef("A" * 99)),
        (YAHOO, [], "tea", ItemRef("tea")),
        (AMAZON, ["seller-sku"], "TEA 1_a.b", ItemRef("TEA 1_a.b")),
    ],
)
def test_a_products_code_makes_a_listing(mall, match_key, code, ref):
    check_attaches(mall, match_key)
    listing = attached(mall, match_key, code)
    assert (listing.ref, set(listing.keys.values())) == (ref, {code})


@pytest.mark.parametrize(
    ("mall", "code"),
    [(YAHOO, "茶"), (YAHOO, "a_b"), (YAHOO, "A" * 100), (AMAZON, "A" * 41), (AMAZON, "tea ")],
)
def test_a_code_that_the_mall_cannot_have_makes_none(mall, code):
    with pytest.raises(DomainError) as refused:
        attached(mall, [], code)
    assert refused.value.code == "INVALID_VALUE"


@pytest.mark.parametrize(
    ("mall", "match_key"),
    [
        (RAKUTEN, ["merchantDefinedSkuId"]),
        (RAKUTEN, []),
        (AMAZON, ["asin1"]),
        (YAHOO, ["code", "sub-code"]),
    ],
)
def test_where_a_page_has_other_codes_nothing_is_attached(mall, match_key):
    with pytest.raises(DomainError) as refused:
        check_attaches(mall, match_key)
    assert refused.value.code == "NOT_SUPPORTED_BY_MALL"
