"""在庫同期履歴: what one run between us and a mall came to, and which runs are told as one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

GAP = timedelta(minutes=1)
LONGEST = timedelta(minutes=10)


class RunKind(StrEnum):
    REFLECT = "REFLECT"
    FULL_SYNC = "FULL_SYNC"
    ORDERS = "ORDERS"
    READ_BACK = "READ_BACK"
    FEED = "FEED"


class RunOutcome(StrEnum):
    RUNNING = "RUNNING"
    OK = "OK"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Run:
    """`sent`: numbers that went out, whatever became of them. `taken`: orders that were new or changed, or numbers that
    were looked at. `refused`: those of either that are not good. `failed`: numbers whose call failed. `broken`: a call
    failed, or the run was cut short. `turns`: so many of its like, one right after the other, are this one.
    """

    started_at: datetime
    outcome: RunOutcome = RunOutcome.RUNNING
    ended_at: datetime | None = None
    sent: int = 0
    taken: int = 0
    refused: int = 0
    failed: int = 0
    broken: bool = False
    turns: int = 1
    error_id: UUID | None = None

    @property
    def did_nothing(self) -> bool:
        return not (self.sent or self.taken or self.refused or self.broken)


def ended(run: Run, at: datetime) -> Run:
    """All is good: OK. Nothing is: FAILED."""
    good = run.sent + run.taken - run.refused - run.failed
    if not (run.refused or run.failed or run.broken):
        outcome = RunOutcome.OK
    else:
        outcome = RunOutcome.PARTIAL if good > 0 else RunOutcome.FAILED
    return replace(run, outcome=outcome, ended_at=at)


def goes_on(before: Run, run: Run) -> bool:
    """Is an ended run told as one with the one right before it?

    Good ones are where less than GAP lies between them, up to LONGEST together; failures of one cause always are.
    """
    if before.outcome is not run.outcome or before.ended_at is None or run.ended_at is None:
        return False
    if run.outcome is RunOutcome.FAILED:
        return before.error_id == run.error_id
    close = run.started_at - before.ended_at <= GAP
    return run.outcome is RunOutcome.OK and close and run.ended_at - before.started_at <= LONGEST


def together(before: Run, run: Run) -> Run:
    """The two as one."""
    return replace(
        run,
        started_at=before.started_at,
        sent=before.sent + run.sent,
        taken=before.taken + run.taken,
        refused=before.refused + run.refused,
        failed=before.failed + run.failed,
        turns=before.turns + run.turns,
    )
