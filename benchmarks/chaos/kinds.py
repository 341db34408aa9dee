"""What may fail, how often one kind does beside the others, and the errors that come though nothing is wrong."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from domain.model.malls import MallKind


class Kind(StrEnum):
    """What fails, or is odd."""

    THROTTLE = "throttle"
    MAINTENANCE = "maintenance"
    EXPIRED = "credentials expired"
    TOKENS_EXPIRED = "access tokens expired"
    SPURIOUS = "spurious error"
    PARTIAL = "items refused"
    NOT_APPLIED = "accepted, not applied"
    NO_ANSWER = "no answer"
    CUT = "cut in the answer"
    SLOW = "slow answer"
    MALFORMED = "half an answer"
    LATE_ORDERS = "late orders"
    EDITED = "edited at the mall"
    WORKER_KILLED = "worker killed"
    WORKER_PAUSED = "worker paused"
    WORKER_SKEWED = "worker's clock set"
    API_KILLED = "API killed"
    VALKEY_KILLED = "Valkey killed, empty"
    DATABASE_RESTARTED = "PostgreSQL restarted"
    DATABASE_CRASHED = "PostgreSQL crashed"
    SESSIONS_ENDED = "sessions terminated"
    CONNECTIONS_CUT = "connections cut"
    PAGES_AGAIN = "order pages again"
    BELLS_AGAIN = "bells twice and late"
    REQUEST_AGAIN = "request sent twice"
    RESYNCED = "told of a restore"
    RESTORED = "older database put back"


WEIGHTS: Mapping[Kind, int] = MappingProxyType(
    {
        Kind.THROTTLE: 8,
        Kind.MAINTENANCE: 6,
        Kind.EXPIRED: 3,
        Kind.TOKENS_EXPIRED: 4,
        Kind.SPURIOUS: 7,
        Kind.PARTIAL: 6,
        Kind.NOT_APPLIED: 6,
        Kind.NO_ANSWER: 2,
        Kind.CUT: 7,
        Kind.SLOW: 6,
        Kind.MALFORMED: 6,
        Kind.LATE_ORDERS: 5,
        Kind.EDITED: 5,
        Kind.WORKER_KILLED: 7,
        Kind.WORKER_PAUSED: 3,
        Kind.WORKER_SKEWED: 2,
        Kind.API_KILLED: 4,
        Kind.VALKEY_KILLED: 3,
        Kind.DATABASE_RESTARTED: 1,
        Kind.DATABASE_CRASHED: 1,
        Kind.SESSIONS_ENDED: 4,
        Kind.CONNECTIONS_CUT: 4,
        Kind.PAGES_AGAIN: 5,
        Kind.BELLS_AGAIN: 6,
        Kind.REQUEST_AGAIN: 8,
        Kind.RESYNCED: 1,
        Kind.RESTORED: 1,
    }
)
ONLY_IN_LONG = frozenset({Kind.NO_ANSWER, Kind.RESTORED})
"""One keeps a shop's pusher busy for a call's whole time-out; the other takes a while for something to be lost in."""

SPURIOUS: Mapping[MallKind, Sequence[str]] = MappingProxyType(
    {
        MallKind.RAKUTEN: ("GE0001", "GA0001", "ES01-01", "ORDER_EXT_API_SYSTEM_ERROR"),
        MallKind.YAHOO_SHOPPING: ("st-02999", "ed-00002", "px-04102", "od91001", "publishing"),
        MallKind.AMAZON: ("500", "503", "403"),
    }
)
"""Errors of the malls' sheets that come though nothing is wrong."""
