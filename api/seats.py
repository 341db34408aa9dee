"""What one token or session holds open here at once: sockets, and operations on all of them together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.messages import Close, Ended


@dataclass(frozen=True, slots=True)
class Room:
    """How many of each, in one process."""

    sockets: int = 50
    operations: int = 500


@dataclass(slots=True)
class Holder:
    """Who holds them. `left`: operations that may still begin."""

    left: int
    sockets: int = 0


class Seats:
    """Those of one process."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._holders: dict[str, Holder] = {}

    @contextmanager
    def taken(self, token: str) -> Iterator[Holder]:
        """One socket more of this token. Raises Ended where it has too many."""
        holder = self._holders.setdefault(token, Holder(self._room.operations))
        if holder.sockets >= self._room.sockets:
            most = self._room.sockets
            raise Ended(Close.TRY_AGAIN, f"{most} sockets are open with this token: close some.")
        holder.sockets += 1
        try:
            yield holder
        finally:
            holder.sockets -= 1
            if not holder.sockets:
                del self._holders[token]
