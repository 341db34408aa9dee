"""Which listing belongs to which product."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.links import (
    MOST_PROPOSALS,
    Candidate,
    LinkReason,
    LinkState,
    ListingKeys,
    Proposal,
    ShopLink,
    conflicts,
    fold,
    fold_code,
    link_on_import,
    propose,
)

MUG, TEA, POT = (UUID(int=n) for n in (1, 2, 3))
SHOP, OTHER_SHOP = UUID(int=10), UUID(int=11)


@pytest.mark.parametrize(
    ("case", "one", "other"),
    [
        ("full width", "\uff21\uff22\uff23\uff0d\uff11\uff12\uff13", "ABC-123"),
        ("case", "abc", "ABC"),
        ("half-width kana", "\uff7a\uff70\uff8b\uff70", "コーヒー"),
        ("half-width voiced kana", "\uff76\uff9e\uff97\uff7d", "ガラス"),
        ("katakana and hiragana", "まぐカップ", "マグかっぷ"),
        ("hyphens of every kind", "a‐b‑c–d—e―f−g", "a-b-c-d-e-f-g"),
        ("the long-vowel mark and the hyphen", "コ-ヒ-", "コーヒー"),
        ("ruled lines used as long vowels", "コ─ヒ━", "コーヒー"),
        ("wide and repeated spaces", " 白  マグ ", "白 マグ"),
        ("sharp s", "straße", "STRASSE"),
        ("circled numbers", "①", "1"),
    ],
)
def test_fold_takes_as_one(case, one, other):
    assert fold(one) == fold(other), case


@pytest.mark.parametrize(("one", "other"), [("mug1", "mug2"), ("は", "ば"), ("つ", "っ")])
def test_fold_keeps_apart(one, other):
    assert fold(one) != fold(other)


@given(text=st.text(max_size=30))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "code",
    ["MUG-01", "mug01", "\uff2d\uff35\uff27\uff0d01", "mug_01", "MUG\u300001", "MUG\u201001"],
)
def test_near_codes_differ_in_width_case_and_hyphens_only(code):
    assert fold_code(code) == "mug01"


PRODUCTS = {"MUG-01": MUG, "TEA": TEA}
TABLE = {"x-77": "MUG-01", "TEA": "MUG-01", "gone": "NO-SUCH"}


@pytest.mark.parametrize(
    ("case", "state", "code", "link"),
    [
        ("the same code", LinkState.UNLINKED, "MUG-01", (MUG, LinkReason.SAME_CODE)),
        ("by the code table", LinkState.UNLINKED, "x-77", (MUG, LinkReason.CODE_MAPPING)),
        ("the code table wins", LinkState.UNLINKED, "TEA", (MUG, LinkReason.CODE_MAPPING)),
        ("the table leads nowhere", LinkState.UNLINKED, "gone", None),
        ("a near code is not the same", LinkState.UNLINKED, "mug01", None),
        ("no code", LinkState.UNLINKED, "", None),
        ("unlinked by hand stays unlinked", LinkState.UNLINKED_BY_HAND, "MUG-01", None),
        ("linked stays as it is", LinkState.LINKED, "MUG-01", None),
        ("so does a conflict", LinkState.CONFLICT, "MUG-01", None),
    ],
)
def test_link_on_import(case, state, code, link):
    assert link_on_import(state, code, PRODUCTS, TABLE) == link, case


@pytest.mark.parametrize(
    ("case", "listing", "product", "reason"),
    [
        ("code table", ListingKeys("x-77"), Candidate(MUG, "MUG-01"), "CODE_MAPPING"),
        ("same code", ListingKeys("MUG-01"), Candidate(MUG, "MUG-01"), "SAME_CODE"),
        ("same JAN", ListingKeys("a", jan="4900"), Candidate(MUG, "b", jan="4900"), "SAME_JAN"),
        ("near code", ListingKeys("mug01"), Candidate(MUG, "MUG-01"), "NEAR_CODE"),
        ("near name", ListingKeys("a", name="白いマグカップ 大"), Candidate(MUG, "b", name="白いマグカップ 小"), "NEAR_NAME"),
        ("another name", ListingKeys("a", name="白いマグカップ"), Candidate(MUG, "b", name="鉄のフライパン"), None),
        ("nothing to compare", ListingKeys(""), Candidate(MUG, ""), None),
    ],
)  # fmt: skip
def test_propose(case, listing, product, reason):
    proposed = propose(listing, [product], TABLE)
    assert [p.reason.value for p in proposed] == ([reason] if reason else []), case


def test_the_likeliest_product_is_proposed_first_and_not_too_many_are():
    products = [Candidate(UUID(int=n), "mug_01") for n in range(10, 20)]
    proposed = propose(ListingKeys("MUG-01"), [*products, Candidate(POT, "MUG-01")], {})
    assert proposed[0] == Proposal(POT, LinkReason.SAME_CODE, 1.0)
    assert len(proposed) == MOST_PROPOSALS


def a_link(listing: int, shop: UUID, product: UUID, copy_page: bool = False) -> ShopLink:
    return ShopLink(UUID(int=listing), shop, product, copy_page)


@pytest.mark.parametrize(
    ("case", "links", "in_conflict"),
    [
        ("one listing", [a_link(1, SHOP, MUG)], []),
        ("two of one shop", [a_link(1, SHOP, MUG), a_link(2, SHOP, MUG)], [1, 2]),
        ("one in each shop", [a_link(1, SHOP, MUG), a_link(2, OTHER_SHOP, MUG)], []),
        ("two products", [a_link(1, SHOP, MUG), a_link(2, SHOP, TEA)], []),
        ("a copy page", [a_link(1, SHOP, MUG), a_link(2, SHOP, MUG, True)], []),
        ("two beside a copy page", [a_link(1, SHOP, MUG), a_link(2, SHOP, MUG), a_link(3, SHOP, MUG, True)], [1, 2, 3]),
    ],
)  # fmt: skip
def test_conflicts(case, links, in_conflict):
    found = [link.listing_id.int for group in conflicts(links) for link in group]
    assert found == in_conflict, case
