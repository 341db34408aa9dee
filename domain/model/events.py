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


class StockChange(StrEnum):
    """Why a product's stock is to be looked at again, where no movement says so.

    NUMBERS: what is kept back, whether it is managed, the parts of a set. NAMED: its code or name alone.
    CODE_FREED: nothing has this code any more; the event names no product, its payload the `code`.
    """

    ADDED = "ADDED"
    NUMBERS = "NUMBERS"
    NAMED = "NAMED"
    DELETED = "DELETED"
    CODE_FREED = "CODE_FREED"


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
