"""A GraphQL request as it came, by HTTP or socket: what it must be before anything is read from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.errors import Code, refused

MOST_BYTES = 1_048_576
"""Of one request body, and of one message on a socket."""

NUL = re.compile(rb"\\u(?:0000|\{0+\})")
"""As JSON or GraphQL escapes it. No text that PostgreSQL keeps may hold it."""


@dataclass(frozen=True, slots=True)
class Request:
    """`operation_name`: None where the document's only operation is meant."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]


def read_json(body: bytes) -> Any:
    """Raises Refused: not JSON in UTF-8 (NaN, lone surrogates and endless nesting are none either)."""
    if NUL.search(body):
        raise refused(
            Code.BAD_USER_INPUT, "The character U+0000 stands in no text of ours: leave it out."
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refused(Code.BAD_REQUEST, f"This is not JSON in UTF-8: {error}.") from error


def read_request(given: Any) -> Request:
    """Raises Refused, saying which part is not what it must be."""
    if not isinstance(given, dict):
        raise _wrong('Send a JSON object: {"query": "…", "variables": {…}}. Batches are not read.')
    query = given.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _wrong("query must be a string that holds a GraphQL document.")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _wrong("operationName must be a string or null.")
    _check_map(given, "extensions")
    return Request(query, name or None, _check_map(given, "variables"))


def _check_map(given: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    value = given.get(part)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(f"{part} must be an object or null.")
    return value


def _wrong(message: str) -> Exception:
    return refused(Code.BAD_REQUEST, message)
