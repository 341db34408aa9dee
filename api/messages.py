"""The words of graphql-transport-ws: what a client may send, what it is answered, and how a socket ends.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from api.errors import Refused
from api.requests import MOST_BYTES, Request, parsed, read_request, unkept
from domain.model.locales import Locale

PROTOCOL = "graphql-transport-ws"
MOST_REASON_BYTES = 123
PING = '{"type":"ping"}'
ACK = '{"type":"connection_ack"}'


class Close(IntEnum):
    """TRY_AGAIN: come back, and subscribe after the last cursor that was received."""

    NORMAL = 1000
    TOO_BIG = 1009
    TRY_AGAIN = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429
    INTERNAL = 4500


class Ended(Exception):
    """The socket is to be closed with this code and these words."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class Init:
    """`authorization` and `locale`: None where the payload says nothing of them."""

    authorization: str | None
    locale: Locale | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`refused`: why the operation cannot begin, though its message is well formed."""

    id: str
    request: Request
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


Message = Init | Subscribe | Complete | Ping | Pong


def read_message(text: str) -> Message:
    """Raises Ended."""
    encoded = text.encode()
    if len(encoded) > MOST_BYTES:
        raise Ended(Close.TOO_BIG, f"A message holds {MOST_BYTES:,} bytes at most.")
    try:
        given = parsed(encoded)
        if not isinstance(given, dict):
            raise _bad("A message is a JSON object.")
        return _message(given, unkept(encoded))
    except Refused as refused:
        raise _bad(str(refused)) from refused


def next_message(operation_id: str, payload: str) -> str:
    return f'{{"id":{_json(operation_id)},"type":"next","payload":{payload}}}'


def error_message(operation_id: str, errors: bytes) -> str:
    """`errors`: the JSON of an answer that is nothing but errors."""
    listed = errors.decode().removeprefix('{"errors":').removesuffix("}")
    return f'{{"id":{_json(operation_id)},"type":"error","payload":{listed}}}'


def complete_message(operation_id: str) -> str:
    return f'{{"id":{_json(operation_id)},"type":"complete"}}'


def pong_message(payload: Mapping[str, Any] | None) -> str:
    return _json({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


def _message(given: Mapping[str, Any], refused: Refused | None) -> Message:
    match given.get("type"):
        case "connection_init":
            return _init(_payload(given) or {})
        case "subscribe":
            return Subscribe(_id(given), read_request(given.get("payload")), refused)
        case "complete":
            return Complete(_id(given))
        case "ping":
            return Ping(_payload(given))
        case "pong":
            _payload(given)
            return Pong()
    raise _bad("Invalid message type.")


def _init(payload: Mapping[str, Any]) -> Init:
    named = {name.lower(): value for name, value in payload.items()}
    authorization, locale = named.get("authorization"), named.get("locale")
    if authorization is not None and not isinstance(authorization, str):
        raise _bad("authorization must be a string.")
    if locale is not None and locale not in list(Locale):
        raise _bad("locale must be JA or EN.")
    return Init(authorization, None if locale is None else Locale(locale))


def _id(given: Mapping[str, Any]) -> str:
    operation_id = given.get("id")
    if not isinstance(operation_id, str) or not operation_id:
        raise _bad("id must be a string that is not empty.")
    return operation_id


def _payload(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = given.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _bad("payload must be an object.")
    return payload


def _bad(reason: str) -> Ended:
    return Ended(Close.BAD_REQUEST, reason)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
