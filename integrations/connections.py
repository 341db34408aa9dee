"""Calls to the malls over connections that are kept open between them.

httpx's client looks through all connections of its pool before and after each call, asks the system of each idle one
whether it still stands, and keeps cookies, follows redirects and logs in, none of which a mall asks for: that costs more
than the call. Here the connection used last is taken, only it is looked at, and a call is its request and its answer. The
wire itself is httpcore's, as in httpx; answers and errors are httpx's own.
"""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from time import monotonic
from typing import Protocol
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from urllib.request import getproxies

import httpcore
import httpx
import orjson

KEPT_SECONDS = 5.0
"""Idle for longer, a connection may be closed by the mall at the very moment it is used."""

KEPT_AT_MOST = 200
"""Idle connections, of all malls together."""

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Connection = httpcore.AsyncConnectionInterface
Words = Mapping[str, str]


class Http(Protocol):
    """What carries a call: `Wire`, or an httpx.AsyncClient. Raises httpx.HTTPError and httpx.InvalidURL."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Words | None = None,
        params: Words | None = None,
        content: bytes | None = None,
        json: object | None = None,
        data: Words | None = None,
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer, whose body is still to be read."""
        ...


@asynccontextmanager
async def opened() -> AsyncIterator[Http]:
    """Where the environment names a proxy, httpx's own way."""
    if getproxies():
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            yield client
    else:
        async with Wire() as wire:
            yield wire


class Wire:
    """Keeps Http. `seconds`, `at_most`: what is idle and kept."""

    def __init__(self, *, seconds: float = KEPT_SECONDS, at_most: int = KEPT_AT_MOST) -> None:
        tls = httpx.create_ssl_context()
        pool = httpcore.AsyncConnectionPool(ssl_context=tls, keepalive_expiry=seconds)
        self._connections = _Connections(pool, seconds, at_most)

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.aclose()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Words | None = None,
        params: Words | None = None,
        content: bytes | None = None,
        json: object | None = None,
        data: Words | None = None,
    ) -> AsyncIterator[httpx.Response]:
        body, kind = _body(content, json, data)
        with _as_httpx():
            request = _request(method, url, headers or {}, params or {}, body, kind)
            answer = await self._connections.handle_async_request(request)
            try:
                yield httpx.Response(
                    answer.status,
                    headers=answer.headers,
                    stream=_Read(answer.stream),  # type: ignore[arg-type]  # of an async call
                )
            finally:
                await answer.aclose()


class _Read(httpx.AsyncByteStream):
    def __init__(self, parts: AsyncIterable[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._parts:
            yield part


@contextmanager
def _as_httpx() -> Iterator[None]:
    """httpx calls its errors as httpcore does."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise _named_alike(error) from error
    except (httpcore.ProtocolError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
        raise _named_alike(error) from error


def _named_alike(error: Exception) -> Exception:
    alike: type[Exception] = getattr(httpx, type(error).__name__)
    return alike(str(error))


def _body(content: bytes | None, json: object | None, data: Words | None) -> tuple[bytes, str]:
    """And of what kind it is; empty where only the caller knows, or where there is none."""
    if json is not None:
        return orjson.dumps(json), JSON
    if data is not None:
        return urlencode(data).encode(), FORM
    return content or b"", ""


def _request(
    method: str, url: str, headers: Words, params: Words, body: bytes, kind: str
) -> httpcore.Request:
    parts = _parts(url)
    host = parts.netloc.rpartition("@")[2]
    standard = {"host": host, "accept": "*/*", "accept-encoding": "gzip, deflate"}
    if kind:
        standard["content-type"] = kind
    if body or method in WITH_BODY:
        standard["content-length"] = str(len(body))
    sent = standard | {name.lower(): value for name, value in headers.items()}
    query = "&".join(filter(None, (parts.query, urlencode(params, quote_via=quote))))
    target = (parts.path or "/") + (f"?{query}" if query else "")
    where = httpcore.URL(
        scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target
    )
    return httpcore.Request(method, where, headers=_encoded(sent), content=body, extensions=TIMES)


TIMES = {
    "timeout": {
        "connect": CONNECT_SECONDS,
        "read": ANSWER_SECONDS,
        "write": ANSWER_SECONDS,
        "pool": ANSWER_SECONDS,
    }
}


def _parts(url: str) -> SplitResult:
    """Raises httpx.InvalidURL, httpx.UnsupportedProtocol."""
    try:
        parts = urlsplit(url)
        _ = parts.port, url.encode("ascii")
    except ValueError as error:
        raise httpx.InvalidURL(str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise httpx.UnsupportedProtocol(f"{url!r} is no address of http or https.")
    return parts


def _encoded(headers: Words) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode()) for name, value in headers.items()]


class _Connections:
    """One for each call that is under way, and the idle ones, those used last at the end."""

    def __init__(self, wire: httpcore.AsyncConnectionPool, seconds: float, at_most: int) -> None:
        self._wire = wire
        self._seconds = seconds
        self._at_most = at_most
        self._idle: deque[tuple[Connection, float]] = deque()

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
