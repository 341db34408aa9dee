"""When a full sync comes next."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.errors import DomainError
from domain.model.schedules import WEEK, Weekday, checked_days, next_run, time_of_day

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(WEEK)
MON, SUN = Weekday.MON, Weekday.SUN


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "at", "days", "zone", "after", "expected"),
    [
        ("later today", "03:30", EVERY_DAY, TOKYO, "2026-11-21 18:00", "2026-11-21 18:30"),
        ("this very moment is over", "03:30", EVERY_DAY, TOKYO, "2026-11-21 18:30", "2026-11-22 18:30"),
        ("the merchant's Monday is still our Sunday", "03:30", {MON}, TOKYO, "2026-11-22 12:00", "2026-11-22 18:30"),
        ("a week from now", "03:30", {MON}, TOKYO, "2026-11-22 18:30", "2026-11-29 18:30"),
        ("the hour that summer time skips", "02:30", {SUN}, BERLIN, "2026-03-28 12:00", "2026-03-29 01:30"),
        ("the hour that winter time repeats", "02:30", {SUN}, BERLIN, "2026-10-24 12:00", "2026-10-25 00:30"),
        ("and not a second time", "02:30", {SUN}, BERLIN, "2026-10-25 00:30", "2026-11-01 01:30"),
    ],
)  # fmt: skip
def test_next_run(
    case: str, at: str, days: frozenset[Weekday], zone: ZoneInfo, after: str, expected: str
) -> None:
    assert next_run(time_of_day(at), days, zone, utc(after)) == utc(expected), case


@given(
    st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    st.sets(st.sampled_from(WEEK), min_size=1),
    st.sampled_from(sorted(available_timezones())).map(ZoneInfo),
    st.integers(0, 2 * 366 * 24 * 3600).map(
        lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
)
def test_it_is_later_within_a_week_and_on_a_chosen_day(at, days, zone, after):
    """In any zone; where the clocks skip midnight the day may be over by then."""
    found = next_run(at, days, zone, after)

    assert after < found <= after + timedelta(days=7, hours=1)
    about = [(found - skipped).astimezone(zone) for skipped in (timedelta(0), timedelta(hours=1))]
    assert any(WEEK[moment.weekday()] in days for moment in about)


@pytest.mark.parametrize("at", ["00:00", "00:30", "02:30", "03:00", "23:30"])
def test_whatever_the_clocks_of_a_zone_do_it_comes_once_a_day(at):
    """Half-hours in Lord Howe, midnight in Beirut and Havana, the evening in Nuuk, the south's summer in Santiago."""
    for name in (
        "Australia/Lord_Howe",
        "Asia/Beirut",
        "America/Havana",
        "America/Nuuk",
        "America/Santiago",
    ):
        zone = ZoneInfo(name)
        start = datetime(2026, 1, 1, 12, tzinfo=zone)
        after, runs = start.astimezone(UTC), []
        while after < start.replace(year=2027).astimezone(UTC):
            after = next_run(time_of_day(at), EVERY_DAY, zone, after)
            runs.append(after)
        apart = {later - sooner for sooner, later in pairwise(runs)}
        assert len(runs) in (365, 366), name
        assert timedelta(hours=23) <= min(apart) <= max(apart) <= timedelta(hours=25), name


@pytest.mark.parametrize("text", ["", "3:30", "24:00", "12:60", "12:00:00", "noon", "１２：００"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(DomainError, match="03:30"):
        time_of_day(text)


def test_days_are_kept_once_in_the_order_of_the_week() -> None:
    assert checked_days([SUN, MON, SUN]) == (MON, SUN)
    with pytest.raises(DomainError) as refused:
        checked_days([])
    assert refused.value.code == "REQUIRED"
