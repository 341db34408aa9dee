"""Reading Amazon's JSON field by field: a field that is not as documented is named, never guessed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from domain.model.errors import MallMalformed
from integrations.http import EXCERPT

Document = Mapping[str, Any]
T = TypeVar("T")


class Unreadable(Exception):
    """Part of a document is not as documented. Its text names the field and holds none of its value."""


@contextmanager
def document_in(response: httpx.Response, *, quoted: bool = True) -> Iterator[Document]:
    """The object in a response. Raises MallMalformed when it, or what is read of it inside, is not as documented.

    `quoted` is False for answers that hold tokens or speak of orders: their beginning is not kept.
    """
    try:
        yield _object_in(response)
    except Unreadable as error:
        excerpt = response.text[:EXCERPT] if quoted else ""
        why = f"Amazon's answer could not be read: {error}."
        raise MallMalformed(why, excerpt=excerpt) from error


def _object_in(response: httpx.Response) -> Document:
    try:
        document = response.json()
    except ValueError as error:
        raise Unreadable("it is not JSON") from error
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    return document


def optional(document: Document, key: str, kind: type[T]) -> T | None:
    """None when the field is absent or null. Raises Unreadable when it is of another kind."""
    value = document.get(key)
    if value is not None and type(value) is not kind:
        raise Unreadable(f"{key} is not of type {kind.__name__}")
    return value


def required(document: Document, key: str, kind: type[T]) -> T:
    value = optional(document, key, kind)
    if value is None:
        raise Unreadable(f"{key} is missing")
    return value


def word(document: Document, key: str) -> str:
    """A text that must not be empty."""
    value = required(document, key, str)
    if not value.strip():
        raise Unreadable(f"{key} is empty")
    return value


def objects(document: Document, key: str) -> list[Document]:
    """A list of objects; an absent one is empty."""
    values = optional(document, key, list) or []
    if not all(isinstance(value, dict) for value in values):
        raise Unreadable(f"{key} holds something other than objects")
    return values


def listed(document: Document, key: str) -> list[Document]:
    """A list of objects that must be there."""
    required(document, key, list)
    return objects(document, key)


def part(document: Document, key: str) -> Document:
    """An object inside the object; an absent one is empty."""
    return optional(document, key, dict) or {}


def optional_count(document: Document, key: str) -> int | None:
    value = optional(document, key, int)
    if value is not None and value < 0:
        raise Unreadable(f"{key} is negative")
    return value


def count(document: Document, key: str) -> int:
    required(document, key, int)
    return optional_count(document, key) or 0


def moment(document: Document, key: str) -> datetime:
    """ISO 8601 with an offset, in UTC."""
    try:
        value = datetime.fromisoformat(required(document, key, str))
    except ValueError as error:
        raise Unreadable(f"{key} is not a time") from error
    if value.tzinfo is None:
        raise Unreadable(f"{key} names no offset from UTC")
    return value.astimezone(UTC)
