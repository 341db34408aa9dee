"""Times as Japanese malls write them: in Japan's time, with or without saying so."""

from datetime import UTC, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")
COMPACT = "%Y%m%d%H%M%S"


def read_time(text: str) -> datetime:
    """ISO 8601 or YYYYMMDDHHMMSS, taken as Japan's where it names no zone; answered in UTC. Raises ValueError."""
    compact = len(text) == len("20260201000000") and text.isdecimal()
    moment = datetime.strptime(text, COMPACT) if compact else datetime.fromisoformat(text)  # noqa: DTZ007  zone follows
    return (moment if moment.tzinfo else moment.replace(tzinfo=JST)).astimezone(UTC)


def first_second(moment: datetime) -> datetime:
    """The whole second in which `moment` lies, in Japan's time."""
    return moment.astimezone(JST).replace(microsecond=0)


def last_second_before(moment: datetime) -> datetime:
    """The last whole second that begins before `moment`, in Japan's time: the end, inclusive, of [..., moment)."""
    return first_second(moment - timedelta(microseconds=1))
