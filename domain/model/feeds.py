"""Feeds: numbers that a mall is handed over in bulk and works off by itself (DESIGN §2.6).

What comes next with one that is open. Nothing is sent for a shop that stands still; one that nobody can tell anything of
is given up, and what it carried goes out otherwise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from domain.model.malls import FeedLimits

HELD = timedelta(seconds=20)
"""Whoever takes a feed up has it to themselves for so long, and longer each time they say that they are still at it."""

REST = timedelta(minutes=30)
"""After one that did not end well the shop's numbers go one by one for a while."""

KEPT = timedelta(days=30)
LEAST_LOOKS = 3


class FeedRowState(StrEnum):
    """SENT: being put together or handed over. ACCEPTED: the mall has it. LOST: nobody knows what became of it."""

    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    DONE = "DONE"
    FAILED = "FAILED"
    LOST = "LOST"


class Step(Enum):
    """ASK: the mall how far it is. WAIT: it is not to be asked now. GIVE_UP: LOST. LET_GO: so too, and nobody minds. DROP: it
    carries nothing."""

    PUT_TOGETHER = auto()
    DROP = auto()
    ASK = auto()
    WAIT = auto()
    GIVE_UP = auto()
    LET_GO = auto()


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """`items`: numbers that it carries so far; `looks`: how often the mall was asked for it."""

    state: FeedRowState
    items: int
    looks: int
    sent_at: datetime


def next_step(
    feed: FeedFacts,
    limits: FeedLimits,
    *,
    in_use: bool,
    may_send: bool,
    may_ask: bool,
    speed: float,
    now: datetime,
) -> Step:
    """`may_send`: the shop is in use, and numbers other than zero may go out there. `may_ask`: it is neither halted nor
    tested, and its mall not left alone because it fails.

    One that was put together and not handed over had a worker that died: nobody knows whether the mall has it.
    """
    if not feed.items:
        return Step.PUT_TOGETHER if may_send else Step.DROP
    if not in_use:
        return Step.LET_GO
    if feed.state is FeedRowState.SENT:
        return Step.GIVE_UP
    if not may_ask:
        return Step.WAIT
    overdue = now >= feed.sent_at + limits.lost_after / max(speed, 1)
    return Step.GIVE_UP if overdue and feed.looks >= LEAST_LOOKS else Step.ASK
