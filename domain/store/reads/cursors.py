"""Places in a sorted list, as clients keep them: opaque, and still right when rows come and go between two pages."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson

from domain.model.errors import DomainError
from domain.store.stock_changes import StockPlace

EVENTS = "events"
STOCK = "stock"


class BadCursor(DomainError):
    code = "BAD_CURSOR"

    def __init__(self) -> None:
        super().__init__(
            "This cursor was not made by this list in this order. Start again without it."
        )


def _text(key: str) -> str:
    if "\x00" in key:
        raise ValueError("PostgreSQL keeps no such text")
    return key


def _integer(key: str) -> int:
    number = int(key)
    if not -(2**31) <= number < 2**31:
        raise ValueError("not an integer of PostgreSQL")
    return number


def _moment(key: str) -> datetime:
    read = datetime.fromisoformat(key)
    if read.tzinfo is None:
        raise ValueError("no moment without its zone")
    return read.astimezone(UTC)


READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {"text": _text, "int": _integer, "timestamptz": _moment, "uuid": UUID}
)
"""How the text that PostgreSQL writes of a sort key is read back, by type."""


def cursor_sql(order: str, key: str, row_id: str) -> str:
    """The cursor of a row. `encode` breaks lines, which base64 in JSON may not."""
    made = f"json_build_array('{order}', {key}, {row_id})::text"
    return f"translate(encode(convert_to({made}, 'UTF8'), 'base64'), E'\\n', '')"


def read_cursor(cursor: str, order: str, cast: str) -> tuple[Any, UUID]:
    """The sort key and the id of the row after (or before) which a page begins. Raises BadCursor."""
    try:
        name, key, row_id = orjson.loads(b64decode(cursor, validate=True))
        if name != order or not isinstance(key, str):
            raise BadCursor
        return READERS[cast](key), UUID(row_id)
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BadCursor from error


def event_cursor(seq: int) -> str:
    """A point in an account's event log, as `eventCursor` answers it."""
    return b64encode(f"{EVENTS}:{seq}".encode()).decode()


def read_event_cursor(cursor: str) -> int:
    """Raises BadCursor."""
    try:
        name, _, seq = b64decode(cursor, validate=True).decode().partition(":")
        if name != EVENTS:
            raise BadCursor
        return int(seq)
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error


def stock_cursor(place: StockPlace) -> str:
    """A point in the event log, or in the whole stock that is read before it is followed."""
    if place.beyond is None:
        return event_cursor(place.seq)
    return b64encode(f"{STOCK}:{place.seq}:{place.beyond}".encode()).decode()


def read_stock_cursor(cursor: str) -> StockPlace:
    """Raises BadCursor."""
    try:
        name, *place = b64decode(cursor, validate=True).decode().split(":")
        if name != STOCK:
            return StockPlace(read_event_cursor(cursor))
        seq, beyond = place
        return StockPlace(int(seq), UUID(beyond))
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
