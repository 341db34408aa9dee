"""Why more was sold than there was: one line a class, and which of two goes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.locales import Locale
from domain.model.oversells import Crossing, OversellCause, Scarcity, Shown, cause, text

T0 = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

JUST_NOW = Crossing(T0, T0 + 3 * SECOND, sold=1)
SOLD_ELSEWHERE = Scarcity(T0 + SECOND, elsewhere=True)
KNOWN_BEFORE = Scarcity(T0 - SECOND, elsewhere=True)
BOTH = replace(JUST_NOW, scarce=SOLD_ELSEWHERE)
AFTER = replace(JUST_NOW, scarce=KNOWN_BEFORE)


@pytest.mark.parametrize(
    ("case", "crossing", "expected"),
    [
        ("two malls within a moment", BOTH, "SIMULTANEOUS_ORDERS"),
        ("the mall showed what it sold", replace(BOTH, shown=Shown(1)), "SIMULTANEOUS_ORDERS"),
        ("one of them as a part", replace(BOTH, as_part=True), "SET_PART"),
        (
            "the other as a part",
            replace(BOTH, scarce=replace(SOLD_ELSEWHERE, as_part=True)),
            "SET_PART",
        ),
        ("it sold more than it showed", replace(BOTH, shown=Shown(0)), "RAISED_AT_MALL"),
        ("a reading said more", replace(BOTH, shown=Shown(5, raised=True)), "RAISED_AT_MALL"),
        ("we knew, and had not told", AFTER, "PUSH_LAG"),
        ("we knew, and could not tell", replace(AFTER, push_failed=True), "PUSH_FAILED"),
        ("told, and raised again", replace(AFTER, shown=Shown(0)), "RAISED_AT_MALL"),
        ("it came in late", replace(BOTH, known_at=T0 + 11 * MINUTE), "LATE_ORDER"),
        ("late, and we knew before", replace(AFTER, known_at=T0 + 11 * MINUTE), "PUSH_LAG"),
        (
            "ten minutes are not late",
            replace(BOTH, known_at=T0 + 10 * MINUTE),
            "SIMULTANEOUS_ORDERS",
        ),
        ("given back twice", replace(AFTER, restored_twice=True), "RESTORED_TWICE"),
        (
            "given back twice, and raised",
            replace(AFTER, restored_twice=True, shown=Shown(0)),
            "RAISED_AT_MALL",
        ),
        ("linked after it sold", replace(AFTER, linked_late=True, shown=Shown(0)), "WRONG_LINK"),
        ("there was never enough", JUST_NOW, "UNKNOWN"),
        (
            "the same listing had sold the rest",
            replace(BOTH, scarce=replace(SOLD_ELSEWHERE, elsewhere=False)),
            "UNKNOWN",
        ),
    ],
)
def test_the_cause(case: str, crossing: Crossing, expected: str):
    assert cause(crossing).value == expected, case


@pytest.mark.parametrize("why", OversellCause)
def test_every_cause_has_its_sentence_in_both_languages(why: OversellCause):
    told = {text(why, "Tea@A", "Tea@B", 2, locale) for locale in Locale}

    assert len(told) == 2
    assert all("2" in each for each in told)


@pytest.mark.parametrize(
    ("other", "locale", "expected"),
    [
        (
            "楽天",
            Locale.JA,
            "最後の在庫が楽天で売れ、それが届く前にヤフーでも売れました（不足1）。",
        ),
        (
            None,
            Locale.EN,
            "Another order sold the last units, and ヤフー sold them too before that was known here (1 short).",
        ),
    ],
)
def test_the_sentence_names_the_shops(other: str | None, locale: Locale, expected: str):
    assert text(OversellCause.SIMULTANEOUS_ORDERS, "ヤフー", other, 1, locale) == expected
