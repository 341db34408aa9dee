"""Answers as a connection may mangle them: never sent, cut in the middle, half a body."""

import asyncio

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

HELD_AT_MOST = 120.0
"""Seconds after which an answer that never comes gives up waiting for its client to leave."""


class NeverAnswered(Response):
    """Sends nothing until the client goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(HELD_AT_MOST):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await send(_start(504, [(b"content-length", b"0")]))
            await send({"type": "http.response.body", "body": b""})


class CutShort(Response):
    """Announces a body, and the server closes the connection before sending it.

    ASGI has no way to close a connection; a response that ends before its announced length makes the server do so.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start(200, [(b"content-type", b"text/plain"), (b"content-length", b"1000")]))
        await send({"type": "http.response.body", "body": b"", "more_body": True})


def half(response: Response) -> Response:
    """The first half of an answer's body under its own status and type; of an empty one, the start of a page."""
    body = bytes(response.body)
    status = 200 if response.status_code == 204 else response.status_code
    return Response(
        body[: len(body) // 2] or b"<html><body>",
        status,
        media_type=response.headers.get("content-type", "text/html"),
    )


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}
