"""初期受注取得: orders from before a shop takes part, fetched once, from a stated time on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.errors import DomainError

MOST_BACK = timedelta(days=366)


class InitialOrderMode(StrEnum):
    """BASELINE: they are out of the totals already: seen, never deducted. APPLY: they deduct like any order."""

    BASELINE = "BASELINE"
    APPLY = "APPLY"


@dataclass(frozen=True, slots=True)
class InitialOrders:
    """What was asked for, on the mall's clock. `asked_at`: orders placed since are none of its business."""

    mode: InitialOrderMode
    since: datetime
    asked_at: datetime

    def is_baseline(self, placed_at: datetime, resolution: timedelta) -> bool | None:
        """Of an order met for the first time; None: as if it had come by itself. In doubt it deducts.

        A mall whose list goes by changes shows older orders too: those placed before `since` never deduct.
        """
        if self.mode is InitialOrderMode.APPLY:
            return placed_at + resolution <= self.since
        return True if placed_at + resolution <= self.asked_at else None


def check_since(since: datetime, now: datetime) -> None:
    """Raises DomainError INVALID_VALUE for what is still to come, or too long ago."""
    if not now - MOST_BACK <= since <= now:
        raise DomainError(
            f"Orders can be fetched from at most {MOST_BACK.days} days ago, and not from the future.",
            field=("since",),
            days=MOST_BACK.days,
        )
