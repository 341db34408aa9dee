"""Secrets that live for a time: when a merchant is warned, and of what (D4.18).

Yahoo's consent lives four weeks, Rakuten's licence key three months: a shop whose key lapses at night sells blindly until
somebody wakes up.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.sync_errors import SyncErrorKind

WARN_DAYS = (14, 7, 3, 1)
WARNED = timedelta(days=max(WARN_DAYS))
BY_CONSENT = "refresh_token"
KINDS = (SyncErrorKind.CREDENTIALS_EXPIRED, SyncErrorKind.CONSENT_NEEDED)


def mark(expires_at: datetime, now: datetime) -> int | None:
    """The last of the days of warning that has come; 0: it has lapsed; None: nothing to say yet."""
    left = expires_at - now
    if left <= timedelta(0):
        return 0
    return min((days for days in WARN_DAYS if left <= timedelta(days=days)), default=None)


def kind_of(mall: MallKind, key: str) -> SyncErrorKind:
    """What the merchant has to give anew: the seller's consent, or a key of the form."""
    by_consent = key == BY_CONSENT and MALL_SPECS[mall].consent is not None
    return SyncErrorKind.CONSENT_NEEDED if by_consent else SyncErrorKind.CREDENTIALS_EXPIRED


def warnings(
    mall: MallKind, lives: Mapping[str, datetime], now: datetime
) -> dict[SyncErrorKind, int]:
    """The soonest mark of each kind, of credentials (by key) that live until a time."""
    found: dict[SyncErrorKind, int] = {}
    for key, expires_at in lives.items():
        days, kind = mark(expires_at, now), kind_of(mall, key)
        if days is not None:
            found[kind] = min(days, found.get(kind, days))
    return found
