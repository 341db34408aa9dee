"""What a merchant reads when something goes wrong."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model import errors
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.model.sync_errors import (
    Level,
    SyncErrorKind,
    advice,
    classify,
    group_key,
    is_worth_telling,
    message,
)

SHOP, OTHER_SHOP = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("error", "level", "kind"),
    [
        (errors.MallLockedOut(""), Level.LEVEL_9, SyncErrorKind.CREDENTIALS_REFUSED),
        (errors.MallLockedOut("", consent=True), Level.LEVEL_9, SyncErrorKind.CONSENT_NEEDED),
        (errors.MallThrottled(""), Level.LEVEL_8, SyncErrorKind.THROTTLED),
        (errors.MallUnavailable("", maintenance=True), Level.LEVEL_8, SyncErrorKind.MAINTENANCE),
        (errors.MallUnavailable(""), Level.LEVEL_8, SyncErrorKind.UNREACHABLE),
        (errors.MallOutcomeUnknown(""), Level.LEVEL_8, SyncErrorKind.UNREACHABLE),
        (errors.MallRefused(""), Level.LEVEL_8, SyncErrorKind.ITEM_REFUSED),
        (errors.MallMalformed(""), Level.LEVEL_8, SyncErrorKind.ANSWER_UNREADABLE),
    ],
)
def test_classify(error, level, kind):
    assert classify(error) == (level, kind)


@pytest.mark.parametrize(
    ("case", "error", "expected"),
    [
        ("the mall said wait", errors.MallThrottled("", retry_after=timedelta(seconds=1)), True),
        ("we pace ourselves", errors.MallThrottled("", retry_after=timedelta(minutes=5), by_us=True), False),
        ("the day is used up", errors.MallThrottled("", retry_after=timedelta(hours=3), by_us=True), True),
        ("anything else", errors.MallUnavailable(""), True),
    ],
)  # fmt: skip
def test_a_wait_of_our_own_making_is_no_error(case, error, expected):
    assert is_worth_telling(error) is expected, case


@pytest.mark.parametrize("kind", SyncErrorKind)
@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("mall", [*MallKind, None])
def test_every_kind_has_a_sentence_and_advice_in_both_languages(kind, locale, mall):
    texts = [message(kind, {"shop": "本店", "count": 3}, locale), *advice(kind, mall, locale)]
    assert len(texts) >= 2
    assert "本店" in texts[0]
    for text in texts:
        assert not re.search(r"[{}…]", text)
        own_words = text.replace("本店", "").replace("楽天市場", "").replace("ショッピング", "")
        assert bool(re.search(r"[ぁ-んァ-ヶ]", own_words)) == (locale is Locale.JA)


def test_a_sentence_is_readable_even_if_a_value_is_missing():
    assert message(SyncErrorKind.ITEM_REFUSED, {"shop": "Main"}, Locale.EN) == (
        "Main: the mall refused the stock of … items. The others are updated."
    )


def test_advice_names_the_mall():
    assert "Rakuten" in advice(SyncErrorKind.CREDENTIALS_REFUSED, MallKind.RAKUTEN, Locale.EN)[0]


@pytest.mark.parametrize(
    ("case", "one", "other", "same"),
    [
        ("one dead key seen by two calls", ("CREDENTIALS_REFUSED", SHOP, "401"), ("CREDENTIALS_REFUSED", SHOP, "403"), True),
        ("two shops", ("CREDENTIALS_REFUSED", SHOP, ""), ("CREDENTIALS_REFUSED", OTHER_SHOP, ""), False),
        ("items refused for one reason", ("ITEM_REFUSED", SHOP, "IE0003"), ("ITEM_REFUSED", SHOP, "IE0003"), True),
        ("items refused for two reasons", ("ITEM_REFUSED", SHOP, "IE0003"), ("ITEM_REFUSED", SHOP, "IE0004"), False),
        ("two kinds", ("THROTTLED", SHOP, ""), ("UNREACHABLE", SHOP, ""), False),
        ("no shop at all", ("FILE_REJECTED", None, ""), ("FILE_REJECTED", SHOP, ""), False),
    ],
)  # fmt: skip
def test_one_cause_is_one_error(case, one, other, same):
    keys = [group_key(SyncErrorKind(kind), shop, code) for kind, shop, code in (one, other)]
    assert (keys[0] == keys[1]) == same, case
