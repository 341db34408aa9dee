"""When a shop is asked for its orders: at a moment of its own in each interval.

Shops that were switched on together, or waited together for a worker, would else ask together ever after.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

PARTS = 2**16
"""Of an interval; a shop's id says in which one its moment is."""

SOONEST = 0.1
"""Of an interval: who comes a little before its moment is not asked again at that."""

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def next_poll(shop_id: UUID, every: timedelta, now: datetime) -> datetime:
    """After a poll at `now`: within one interval, so that nobody waits for longer than was set, and then once in each."""
    moment = every * (shop_id.int % PARTS / PARTS)
    wait = every - (now - BEGINNING - moment) % every
    return now + (wait if wait >= every * SOONEST else wait + every)
