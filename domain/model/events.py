"""What an account's event log tells those who follow it."""

from enum import StrEnum

MOST_EVENTS = 1_000
"""A transaction with more events than this writes one RELOAD instead."""


class EventKind(StrEnum):
    """RELOAD: too much changed at once to be told one by one; read the screen again."""

    ERROR = "ERROR"
    DIFF = "DIFF"
    STOCK = "STOCK"
    SHOP = "SHOP"
    JOB = "JOB"
    RELOAD = "RELOAD"


class ErrorChange(StrEnum):
    OPENED = "OPENED"
    COUNT_CHANGED = "COUNT_CHANGED"
    RESOLVED = "RESOLVED"
    CLEARED = "CLEARED"
    REOPENED = "REOPENED"


class DiffChange(StrEnum):
    OPENED = "OPENED"
    CHANGED = "CHANGED"
    CLOSED = "CLOSED"
    PUSH_STATE = "PUSH_STATE"
    MALL_STOCK = "MALL_STOCK"
