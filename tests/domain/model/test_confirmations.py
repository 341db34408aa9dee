"""What needs a confirmation, and whether a token is one."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model.confirmations import Confirmer, Limits, Stakes, has_grown, is_needed

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=10)
HERE = Confirmer(b"k" * 32)
SEEN = Stakes(to_zero=60, changed=70, orders_off=1)
BOUND = ("account", "USER:1", "reflect", "what")


@pytest.mark.parametrize(
    ("case", "stakes", "needed"),
    [
        ("nothing", Stakes(), False),
        ("as many as may be", Stakes(50, 500), False),
        ("one more to zero", Stakes(51, 51), True),
        ("one more that changes", Stakes(0, 501), True),
        ("a shop whose orders are not read", Stakes(0, 0, 1), True),
    ],
)
def test_a_confirmation_is_needed_above_a_limit(case, stakes, needed):
    assert is_needed(stakes, Limits(to_zero=50, changed=500)) is needed, case


@pytest.mark.parametrize(
    ("case", "now", "grown"),
    [
        ("the same", SEEN, False),
        ("less of everything", Stakes(1, 2, 0), False),
        ("one more to zero", Stakes(61, 70, 1), True),
        ("one more that changes", Stakes(60, 71, 1), True),
        ("one more shop whose orders are not read", Stakes(60, 70, 2), True),
    ],
)
def test_what_grew_was_not_agreed_to(case, now, grown):
    assert has_grown(now, SEEN) is grown, case


def test_a_token_says_what_its_holder_saw():
    token = HERE.token(SEEN, BOUND, UNTIL)
    assert HERE.seen(token, BOUND, NOW) == SEEN
    assert HERE.seen(token, BOUND, UNTIL - timedelta(seconds=1)) == SEEN


def altered(token: str, place: int) -> str:
    other = "A" if token[place] != "A" else "B"
    return token[:place] + other + token[place + 1 :]


TOKEN = HERE.token(SEEN, BOUND, UNTIL)


@pytest.mark.parametrize(
    ("case", "token", "bound", "now"),
    [
        ("its time is over", TOKEN, BOUND, UNTIL),
        ("another account", TOKEN, ("other", *BOUND[1:]), NOW),
        ("another person", TOKEN, ("account", "USER:2", *BOUND[2:]), NOW),
        ("another change", TOKEN, (*BOUND[:3], "else"), NOW),
        ("parts run together", TOKEN, ("accountUSER:1", *BOUND[2:]), NOW),
        ("another deployment", Confirmer(b"x" * 32).token(SEEN, BOUND, UNTIL), BOUND, NOW),
        ("an altered signature", altered(TOKEN, 3), BOUND, NOW),
        ("altered counts", altered(TOKEN, 50), BOUND, NOW),
        ("cut short", TOKEN[:-4], BOUND, NOW),
        ("nothing", "", BOUND, NOW),
        ("not base64", "a", BOUND, NOW),
        ("not even letters", "確認", BOUND, NOW),
    ],
)
def test_what_is_no_confirmation(case, token, bound, now):
    assert HERE.seen(token, bound, now) is None, case


def test_a_confirmer_does_not_show_its_key():
    assert repr(HERE) == "Confirmer()"
