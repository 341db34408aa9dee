"""What time it is, for whoever must be told: no two hosts' clocks agree."""

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Answers an aware moment in UTC."""


def own_time() -> datetime:
    """By this host's own clock."""
    return datetime.now(UTC)
