"""一括同期 Full syncs by the clock: at a time of day of the account's own time zone, on some days of the week."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.model.errors import DomainError

TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
MOST_OF_A_SHOP = 10


class Weekday(StrEnum):
    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


WEEK = tuple(Weekday)


def time_of_day(text: str) -> time:
    """HH:MM. Raises DomainError INVALID_VALUE."""
    if not TIME_OF_DAY.fullmatch(text):
        raise DomainError("Enter a time of day such as 03:30.", field=("at",))
    return time.fromisoformat(text)


def checked_days(days: Collection[Weekday]) -> tuple[Weekday, ...]:
    """Each once, in the order of the week. Raises DomainError REQUIRED."""
    if not days:
        raise DomainError("Choose at least one day.", code="REQUIRED", field=("weekdays",))
    return tuple(day for day in WEEK if day in days)


def next_run(at: time, days: Collection[Weekday], zone: ZoneInfo, after: datetime) -> datetime:
    """The first such moment later than `after`, in UTC.

    A time that the clocks skip comes as much later as they skip; one that they repeat comes once, the first time.
    """
    local = after.astimezone(zone)
    for offset in range(len(WEEK) + 1):
        day = local.date() + timedelta(days=offset)
        moment = datetime.combine(day, at, zone).astimezone(UTC)
        if WEEK[day.weekday()] in days and moment > after:
            return moment
    raise ValueError("a schedule needs a day")
