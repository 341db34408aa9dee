"""Work that takes longer than a request: its kinds and states, shared by those who ask and those who do."""

from enum import StrEnum

AT_ONCE = 100
"""So many targets are changed at once, and answered; more become a job."""


class JobKind(StrEnum):
    REFLECT = "REFLECT"
    SHOP_CHECK = "SHOP_CHECK"
    BULK_CHANGE = "BULK_CHANGE"
    ORDER_FETCH = "ORDER_FETCH"
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
