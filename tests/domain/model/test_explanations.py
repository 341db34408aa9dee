"""Why 5? The rules that count, in one sentence."""

import pytest

from domain.model.explanations import Figures, sentence
from domain.model.locales import Locale


@pytest.mark.parametrize(
    ("case", "figures", "en", "ja"),
    [
        ("nothing but a total", Figures(12, most=99), "12 in total.", "総在庫数12。"),
        (
            "what is reserved, then the listing's own limit",
            Figures(12, reserve=2, maximum=5, most=99),
            "12 in total − 2 reserved → 10, at most 5 here → 5.",
            "総在庫数12 − 確保在庫2 → 10、この出品の上限5 → 5。",
        ),
        (
            "oversold",
            Figures(-3, most=99),
            "-3 in total, never below 0 → 0.",
            "総在庫数-3、0未満にはしない → 0。",
        ),
        (
            "at the minimum",
            Figures(3, minimum=3, maximum=5, most=99),
            "3 in total, no more than the minimum of 3 → 0.",
            "総在庫数3、下限3以下 → 0。",
        ),
        (
            "more than the mall can count",
            Figures(2_000, maximum=1_500, most=999),
            "2000 in total, at most 1500 here → 1500, at most 999 at the mall → 999.",
            "総在庫数2000、この出品の上限1500 → 1500、モールの上限999 → 999。",
        ),
        (
            "limits that change nothing are not told",
            Figures(4, minimum=1, maximum=5, most=99),
            "4 in total.",
            "総在庫数4。",
        ),
        (
            "a set",
            Figures(4, is_set=True, reserve=1, most=99),
            "parts for 4 sets − 1 reserved → 3.",
            "構成品から4セット − 確保在庫1 → 3。",
        ),
        (
            "a set that nothing limits",
            Figures(None, is_set=True, most=99),
            "No managed part limits the set, so nothing here decides its number.",
            "在庫管理する構成品がないため、反映数はありません。",
        ),
        (
            "no product",
            None,
            "It belongs to no product, so nothing here decides its number.",
            "商品に紐づいていないため、反映数はありません。",
        ),
    ],
)
def test_sentence(case, figures, en, ja):
    assert (sentence(figures, Locale.EN), sentence(figures, Locale.JA)) == (en, ja), case
