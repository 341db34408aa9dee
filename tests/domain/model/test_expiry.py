"""When a merchant is warned of what lapses."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model.expiry import mark, warnings
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.model.sync_errors import SyncErrorKind, message

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CREDENTIALS, CONSENT = SyncErrorKind.CREDENTIALS_EXPIRED, SyncErrorKind.CONSENT_NEEDED


def within(**left: float) -> datetime:
    return NOW + timedelta(**left)


@pytest.mark.parametrize(
    ("case", "left", "expected"),
    [
        ("a month is far away", {"days": 30}, None),
        ("a moment more than the first mark", {"days": 14, "seconds": 1}, None),
        ("two weeks", {"days": 14}, 14),
        ("between two marks the earlier holds", {"days": 8}, 14),
        ("a week", {"days": 7}, 7),
        ("three days", {"days": 3}, 3),
        ("two days are not one", {"days": 2}, 3),
        ("the last day", {"hours": 24}, 1),
        ("the last second", {"seconds": 1}, 1),
        ("now it has lapsed", {}, 0),
        ("and stays so", {"days": -3}, 0),
    ],
)
def test_mark(case: str, left: dict[str, float], expected: int | None) -> None:
    assert mark(within(**left), NOW) == expected, case


@pytest.mark.parametrize(
    ("case", "mall", "lives", "expected"),
    [
        ("nothing is known to end", MallKind.RAKUTEN, {}, {}),
        ("a key of the form", MallKind.RAKUTEN, {"license_key": within(days=5)}, {CREDENTIALS: 7}),
        ("a consent", MallKind.YAHOO_SHOPPING, {"refresh_token": within(days=2)}, {CONSENT: 3}),
        (
            "each kind says its own, the soonest of it",
            MallKind.AMAZON,
            {
                "refresh_token": within(days=13),
                "client_secret": within(hours=3),
                "client_id": within(days=6),
            },
            {CONSENT: 14, CREDENTIALS: 1},
        ),
    ],
)
def test_warnings(
    case: str, mall: MallKind, lives: dict[str, datetime], expected: dict[SyncErrorKind, int]
) -> None:
    assert warnings(mall, lives, NOW) == expected, case


@pytest.mark.parametrize(
    ("kind", "days", "locale", "expected"),
    [
        (CREDENTIALS, 7, Locale.EN, "Tea: the credentials expire within 7 days."),
        (CREDENTIALS, 0, Locale.EN, "Tea: the credentials have expired."),
        (CONSENT, 3, Locale.JA, "Tea：モールでの利用許可（認可）が3日以内に切れます。"),
    ],
)
def test_the_sentence_says_how_long_is_left(
    kind: SyncErrorKind, days: int, locale: Locale, expected: str
) -> None:
    assert message(kind, {"shop": "Tea", "count": 1, "days": days}, locale) == expected
