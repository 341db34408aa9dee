"""The body of a request: JSON in UTF-8 and nothing else, read no further than is allowed.

A page of another site can send no such body without asking first (CORS), which keeps cookies from being abused.
"""

from typing import Any

from starlette.requests import ClientDisconnect, Request

from api.errors import Code, Refused, refused
from api.requests import MOST_BYTES, read_json

JSON = "application/json"


async def read_body(request: Request, most: int = MOST_BYTES) -> Any:
    """Raises Refused."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != JSON or not _is_utf8(parameters):
        raise refused(
            Code.UNSUPPORTED_MEDIA_TYPE, f"Send Content-Type: {JSON}, in UTF-8.", 415, Accept=JSON
        )
    if request.headers.get("content-encoding", "identity") != "identity":
        raise refused(
            Code.UNSUPPORTED_MEDIA_TYPE,
            "Send the body as it is, without Content-Encoding.",
            415,
            Accept_Encoding="identity",
        )
    return read_json(await _bytes(request, most))


def _is_utf8(parameters: str) -> bool:
    named = [part.strip() for part in parameters.split(";")]
    charsets = [part.removeprefix("charset=").strip('"') for part in named if "charset=" in part]
    return all(charset in ("utf-8", "utf8") for charset in charsets)


async def _bytes(request: Request, most: int) -> bytes:
    """Raises Refused."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise _too_large(most)
    except ClientDisconnect as gone:
        raise refused(Code.BAD_REQUEST, "The body ended early.") from gone
    return bytes(body)


def _too_large(most: int) -> Refused:
    message = f"A request holds {most:,} bytes at most."
    return refused(Code.TOO_LARGE, message, 413, Connection="close")
