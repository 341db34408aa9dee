"""What may be a password, and when two are the same."""

import pytest

from domain.model.errors import DomainError
from domain.model.passwords import LEAST, MOST, checked_password, normal


@pytest.mark.parametrize(
    ("case", "typed", "kept"),
    [
        ("as it is", "correct horse", "correct horse"),
        ("blanks count", " ten chars ", " ten chars "),
        ("full-width letters are letters", "ｃｏｒｒｅｃｔ１２３", "correct123"),
        ("half-width kana are kana", "ﾊﾟｽﾜｰﾄﾞをえらびます", "パスワードをえらびます"),
        ("the longest", "x" * MOST, "x" * MOST),
    ],
)
def test_a_password_is_kept_in_one_form(case: str, typed: str, kept: str):
    assert checked_password(typed, "password") == kept == normal(typed), case


@pytest.mark.parametrize(
    ("case", "typed"),
    [
        ("none", ""),
        ("too short", "x" * (LEAST - 1)),
        ("short once its marks are joined", "ﾊﾟ" * (LEAST - 1)),
        ("blanks alone", "\u3000" * LEAST),
        ("too long", "x" * (MOST + 1)),
    ],
)
def test_what_is_too_easy_or_endless_is_refused(case: str, typed: str):
    with pytest.raises(DomainError) as refused:
        checked_password(typed, "password")

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("password",)), case
    assert refused.value.params == {"least": LEAST, "most": MOST}
