"""A GraphQL request as it came, by HTTP or socket: what it must be before anything is read from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.errors import Code, Refused, refused

MOST_BYTES = 1_048_576
"""Of one request body, and of one message on a socket."""

MOST_ID = 200
HASH = re.compile("[0-9a-fA-F]{64}")

NUL = re.compile(rb"\\u(?:0000|\{0+\})")
"""As JSON or GraphQL escapes it. No text that PostgreSQL keeps may hold it."""


@dataclass(frozen=True, slots=True)
class Request:
    """`operation_name`: None where the document's only operation is meant.

    `query`: "" where the document is only named: by `document_id`, or by `hash`, its SHA-256 in hexadecimal digits, which
    may also come with it.
    """

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]
    document_id: str | None = None
    hash: str | None = None


def read_json(body: bytes) -> Any:
    """Raises Refused: not JSON in UTF-8, or text that we cannot keep."""
    no = unkept(body)
    if no is not None:
        raise no
    return parsed(body)


def unkept(body: bytes) -> Refused | None:
    """Why a text in this JSON can stand nowhere; None: nothing is wrong with it."""
    return nul() if NUL.search(body) else None


def parsed(body: bytes) -> Any:
    """Raises Refused: not JSON in UTF-8 (NaN, lone surrogates and endless nesting are none either)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refused(Code.BAD_REQUEST, f"This is not JSON in UTF-8: {error}.") from error


def read_request(given: Any) -> Request:
    """Raises Refused, saying which part is not what it must be."""
    if not isinstance(given, dict):
        raise _wrong('Send a JSON object: {"query": "…", "variables": {…}}. Batches are not read.')
    document_id = _document_id(given)
    hashed = _hash(_check_map(given, "extensions"))
    query = _query(given, named=document_id is not None or hashed is not None)
    if query and document_id is not None:
        raise _wrong("Send query or documentId, not both.")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _wrong("operationName must be a string or null.")
    return Request(query, name or None, _check_map(given, "variables"), document_id, hashed)


def _query(given: Mapping[str, Any], *, named: bool) -> str:
    query = given.get("query")
    if query is None and named:
        return ""
    if not isinstance(query, str) or not query.strip():
        raise _wrong("query must be a string that holds a GraphQL document.")
    return query


def _document_id(given: Mapping[str, Any]) -> str | None:
    document_id = given.get("documentId")
    if document_id is not None and (
        not isinstance(document_id, str) or not 0 < len(document_id) <= MOST_ID
    ):
        raise _wrong(f"documentId must be a string of 1 to {MOST_ID} characters.")
    return document_id


def _hash(extensions: Mapping[str, Any]) -> str | None:
    """Of Apollo's persisted queries, in their only version."""
    match extensions.get("persistedQuery"):
        case None:
            return None
        case {"version": 1, "sha256Hash": str(hashed)} if HASH.fullmatch(hashed):
            return hashed.lower()
    raise _wrong('persistedQuery must be {"version": 1, "sha256Hash": "<64 hexadecimal digits>"}.')


def _check_map(given: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    value = given.get(part)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(f"{part} must be an object or null.")
    return value


def nul() -> Refused:
    return refused(
        Code.BAD_USER_INPUT, "The character U+0000 stands in no text of ours: leave it out."
    )


def _wrong(message: str) -> Exception:
    return refused(Code.BAD_REQUEST, message)
