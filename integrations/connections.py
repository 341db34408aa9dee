"""Connections to the malls, kept open between calls.

httpx looks through all connections of its pool before and after each call, and asks the system of each idle one whether
it still stands: with a dozen open that costs more than the call. Here the one used last is taken, and only it is looked
at. The wire itself is httpcore's, as in httpx.
"""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from time import monotonic
from urllib.request import getproxies

import httpcore
import httpx

KEPT_SECONDS = 5.0
"""Idle for longer, a connection may be closed by the mall at the very moment it is used."""

KEPT_AT_MOST = 200
"""Idle connections, of all malls together."""

Connection = httpcore.AsyncConnectionInterface


def transport() -> httpx.AsyncBaseTransport | None:
    """None, which is httpx's own way, where the environment names a proxy."""
    return None if getproxies() else KeptOpen()


class KeptOpen(httpx.AsyncHTTPTransport):
    def __init__(self, *, seconds: float = KEPT_SECONDS, at_most: int = KEPT_AT_MOST) -> None:
        tls = httpx.create_ssl_context()
        super().__init__(verify=tls)
        wire = httpcore.AsyncConnectionPool(ssl_context=tls, keepalive_expiry=seconds)
        self._pool = _Connections(wire, seconds, at_most)  # type: ignore[assignment]  # asked the same three things


class _Connections:
    """One for each call that is under way, and the idle ones, those used last at the end."""

    def __init__(self, wire: httpcore.AsyncConnectionPool, seconds: float, at_most: int) -> None:
        self._wire = wire
        self._seconds = seconds
        self._at_most = at_most
        self._idle: deque[tuple[Connection, float]] = deque()

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        origin = request.url.origin
        connection = await self._kept(origin) or self._wire.create_connection(origin)
        answer = await connection.handle_async_request(request)
        body = _Body(answer.stream, lambda: self._put_back(connection))  # type: ignore[arg-type]  # of an async call
        return httpcore.Response(
            answer.status, headers=answer.headers, content=body, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.popleft()[0].aclose()

    async def _kept(self, origin: httpcore.Origin) -> Connection | None:
        """The one to that place which was used last, if it still stands."""
        for place in range(len(self._idle) - 1, -1, -1):
            connection, _ = self._idle[place]
            if connection.can_handle_request(origin):
                del self._idle[place]
                if not connection.has_expired():
                    return connection
                await connection.aclose()
                return await self._kept(origin)
        return None

    async def _put_back(self, connection: Connection) -> None:
        """Unless the call left it unusable. What is idle for too long, or too many, is closed."""
        now = monotonic()
        if connection.is_idle():
            self._idle.append((connection, now))
        while self._idle and (
            len(self._idle) > self._at_most or self._idle[0][1] < now - self._seconds
        ):
            await self._idle.popleft()[0].aclose()


class _Body:
    """An answer's body; when it is closed, its connection is free."""

    def __init__(
        self, stream: AsyncIterable[bytes], put_back: Callable[[], Awaitable[None]]
    ) -> None:
        self._stream = stream
        self._put_back = put_back
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            await self._stream.aclose()  # type: ignore[attr-defined]  # httpcore's own streams have it
            await self._put_back()
