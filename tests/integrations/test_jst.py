"""Times as Japanese malls write them."""

from datetime import UTC, datetime

import pytest

from integrations.jst import first_second, last_second_before, read_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01T00:00:00+0900", datetime(2026, 1, 31, 15, tzinfo=UTC)),
        ("2026-02-01T10:00:00+09:00", datetime(2026, 2, 1, 1, tzinfo=UTC)),
        ("2026-11-28T23:59:59", datetime(2026, 11, 28, 14, 59, 59, tzinfo=UTC)),
        ("20260201235959", datetime(2026, 2, 1, 14, 59, 59, tzinfo=UTC)),
    ],
)
def test_read_time(text: str, expected: datetime) -> None:
    assert read_time(text) == expected


@pytest.mark.parametrize("text", ["", "today", "20269901000000", "2026/02/01"])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        read_time(text)


@pytest.mark.parametrize(
    ("case", "until", "last"),
    [
        ("a whole second is outside", datetime(2026, 2, 1, tzinfo=UTC), "08:59:59"),
        ("a second under way is inside", datetime(2026, 2, 1, 0, 0, 0, 5, UTC), "09:00:00"),
    ],
)
def test_the_end_of_a_window(case: str, until: datetime, last: str) -> None:
    assert last_second_before(until).strftime("%H:%M:%S") == last, case


def test_the_start_of_a_window() -> None:
    assert first_second(datetime(2026, 2, 1, 0, 0, 0, 999, UTC)).isoformat() == (
        "2026-02-01T09:00:00+09:00"
    )
