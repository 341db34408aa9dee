"""Work that takes longer than a request: its kinds and states, shared by those who ask and those who do."""

from enum import StrEnum


class JobKind(StrEnum):
    REFLECT = "REFLECT"
    SHOP_CHECK = "SHOP_CHECK"


class JobState(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
