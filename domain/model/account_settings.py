"""共通設定: what an account's own settings may be."""

from functools import cache
from zoneinfo import available_timezones

from domain.model.errors import DomainError

MOST_CONFIRMED = 1_000_000


def checked_time_zone(name: str) -> str:
    """A zone of the IANA list, as it is written there. Raises DomainError INVALID_VALUE."""
    if name not in _zones():
        raise DomainError(
            f"There is no time zone {name[:100]}. Use a name such as Asia/Tokyo.",
            field=("time_zone",),
            zone=name[:100],
        )
    return name


def checked_limit(listings: int, field: str) -> int:
    """So many listings may change before a confirmation is asked for. Raises DomainError INVALID_VALUE."""
    if not 0 <= listings <= MOST_CONFIRMED:
        raise DomainError(
            f"Enter a number from 0 to {MOST_CONFIRMED}.",
            field=(field,),
            least=0,
            most=MOST_CONFIRMED,
            value=listings,
        )
    return listings


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
