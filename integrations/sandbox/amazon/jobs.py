"""What reports and feeds share: they wait in a queue, are worked on, are done, and are forgotten (amazon sheet §2b, §5)."""

from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.amazon.wire import NAME, shown
from integrations.sandbox.core import Call
from integrations.sandbox.ledger import Ledger

QUEUED, WORKED_ON, DONE = "IN_QUEUE", "IN_PROGRESS", "DONE"


def progress(call: Call, asked: float, queued_for: float, done_after: float) -> dict[str, Any]:
    """The fields that both models share. `asked` is a POSIX time, the others are seconds at speed 1."""
    at = datetime.fromtimestamp(asked, UTC)
    starts = at + call.core.clock.delay(queued_for)
    ends = max(starts, at + call.core.clock.delay(done_after))
    seen: dict[str, Any] = {"createdTime": shown(at), "processingStatus": QUEUED}
    if call.now >= starts:
        seen |= {"processingStatus": WORKED_ON, "processingStartTime": shown(starts)}
    if call.now >= ends:
        seen |= {"processingStatus": DONE, "processingEndTime": shown(ends)}
    return seen


def forget_oldest(ledger: Ledger, seller: str, kind: str, *, keep: int) -> list[str]:
    """Drops all but the newest records of this kind, by their `at`. Answers the keys that are gone."""
    kept = ledger.records(NAME, kind, seller)
    gone = sorted(kept, key=lambda key: float(kept[key]["at"]), reverse=True)[keep:]
    for key in gone:
        ledger.drop_record(NAME, kind, key)
    return gone
