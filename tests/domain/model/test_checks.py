"""What a line of a connection test says."""

import re

import pytest

from domain.model import errors
from domain.model.checks import advice, message
from domain.model.locales import Locale
from domain.model.malls import CheckOutcome, CheckPartKey, MallKind
from domain.model.sync_errors import SyncErrorKind, classify

ERRORS = [
    errors.MallLockedOut(""),
    errors.MallLockedOut("", consent=True),
    errors.MallThrottled(""),
    errors.MallUnavailable("", maintenance=True),
    errors.MallUnavailable(""),
    errors.MallOutcomeUnknown(""),
    errors.MallRefused(""),
    errors.MallMalformed(""),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("key", CheckPartKey)
def test_whatever_a_mall_answers_has_a_sentence_and_advice(error, locale, key):
    kind = classify(error)[1]
    told = message(key, CheckOutcome.NG, kind, locale)
    steps = advice(key, CheckOutcome.NG, kind, MallKind.YAHOO_SHOPPING, locale)
    assert told
    assert steps
    for text in (told, *steps):
        assert not re.search(r"[{}…]|halted|停止しています", text)
        own_words = text.replace("ショッピング", "")
        assert bool(re.search(r"[ぁ-んァ-ヶ]", own_words)) == (locale is Locale.JA)


@pytest.mark.parametrize(
    ("case", "key", "outcome", "said", "steps"),
    [
        ("good", CheckPartKey.ORDERS, CheckOutcome.OK, None, 0),
        ("not needed", CheckPartKey.CONSENT, CheckOutcome.NOT_NEEDED, None, 0),
        (
            "not tested",
            CheckPartKey.ORDERS,
            CheckOutcome.NOT_TESTED,
            "It is tested once the credentials and the consent are good.",
            0,
        ),
        (
            "a clock that is wrong is no trouble of the mall's",
            CheckPartKey.CLOCK,
            CheckOutcome.NG,
            "The clocks of this server and of the mall disagree.",
            1,
        ),
    ],
)
def test_what_names_no_kind(case, key, outcome, said, steps):
    assert message(key, outcome, None, Locale.EN) == said, case
    assert len(advice(key, outcome, None, MallKind.AMAZON, Locale.EN)) == steps, case


def test_advice_names_the_mall():
    kind = SyncErrorKind.CREDENTIALS_REFUSED
    steps = advice(CheckPartKey.CREDENTIALS, CheckOutcome.NG, kind, MallKind.RAKUTEN, Locale.EN)
    assert "Rakuten" in steps[0]
