"""Reading: read models, and the one statement that a selection of them becomes (DESIGN §5)."""

from domain.store.reads.catalogue import MODELS, NODES
from domain.store.reads.compile import compiled
from domain.store.reads.connection import MOST_ROWS, BadPage
from domain.store.reads.cursors import (
    BadCursor,
    event_cursor,
    read_event_cursor,
    read_stock_cursor,
    stock_cursor,
)
from domain.store.reads.finding import found
from domain.store.reads.listings import LISTINGS
from domain.store.reads.models import Paged
from domain.store.reads.products import PRODUCTS
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
    "LISTINGS",
    "MODELS",
    "MOST_ROWS",
    "NODES",
    "PRODUCTS",
    "Arguments",
    "BadArgument",
    "BadCursor",
    "BadPage",
    "Children",
    "Constant",
    "Fields",
    "Paged",
    "Ref",
    "Selected",
    "Statement",
    "Withheld",
    "compiled",
    "event_cursor",
    "found",
    "read_event_cursor",
    "read_stock_cursor",
    "stock_cursor",
]
