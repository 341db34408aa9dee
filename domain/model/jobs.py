"""Work that takes longer than a request: its kinds and states, shared by those who ask and those who do."""

from enum import StrEnum


class JobKind(StrEnum):
    REFLECT = "REFLECT"
    IMPORT = "IMPORT"
    EXPORT = "EXPORT"
    SHOP_CHECK = "SHOP_CHECK"
    ORDER_FETCH = "ORDER_FETCH"
    BULK_CHANGE = "BULK_CHANGE"
    READ_MALL_STOCK = "READ_MALL_STOCK"


class JobState(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
