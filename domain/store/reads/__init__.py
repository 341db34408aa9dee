"""Reading: read models, and the one statement that a selection of them becomes (DESIGN §5)."""

from domain.store.reads.catalogue import MODELS, NODES
from domain.store.reads.compile import compiled
from domain.store.reads.connection import MOST_ROWS, BadPage
from domain.store.reads.cursors import BadCursor, event_cursor, read_event_cursor
from domain.store.reads.selection import (
    Arguments,
    Children,
    Constant,
    Fields,
    Selected,
    Withheld,
)
from domain.store.reads.statement import BadArgument, Ref, Statement

__all__ = [
    "MODELS",
    "MOST_ROWS",
    "NODES",
    "Arguments",
    "BadArgument",
    "BadCursor",
    "BadPage",
    "Children",
    "Constant",
    "Fields",
    "Ref",
    "Selected",
    "Statement",
    "Withheld",
    "compiled",
    "event_cursor",
    "read_event_cursor",
]
