"""What one token or session holds open here at once: sockets, and operations on all of them together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.messages import Close, Ended

MOST_SOCKETS = 50
MOST_OPERATIONS = 500


@dataclass(slots=True)
class Holder:
    sockets: int = 0
    operations: int = 0

    @property
    def may_operate(self) -> bool:
        return self.operations < MOST_OPERATIONS


class Seats:
    """Those of one process."""

    def __init__(self) -> None:
        self._holders: dict[str, Holder] = {}

    @contextmanager
    def taken(self, token: str) -> Iterator[Holder]:
        """One socket more of this token. Raises Ended where it has too many."""
        holder = self._holders.setdefault(token, Holder())
        if holder.sockets >= MOST_SOCKETS:
            raise Ended(
                Close.TRY_AGAIN, f"{MOST_SOCKETS} sockets are open with this token: close some."
            )
        holder.sockets += 1
        try:
            yield holder
        finally:
            holder.sockets -= 1
            if not holder.sockets:
                del self._holders[token]
