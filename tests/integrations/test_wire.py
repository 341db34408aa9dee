"""What a mall is sent, and what we make of its answer: as httpx's own client would, without what malls do not need."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from integrations.connections import Http, Wire
from integrations.http import bounded

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Mall:
    """Remembers each request as it came, and answers `answer`."""

    address: str = ""
    answer: bytes = PLAIN
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(_length(head)))
                writer.write(self.answer)
                if b"length" not in self.answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def target(self) -> tuple[str, str, list[tuple[str, str]]]:
        """Method, path and query of the last request."""
        method, target, _ = self.heads[-1].splitlines()[0].split(" ")
        parts = urlsplit(target)
        return method, parts.path, parse_qsl(parts.query, keep_blank_values=True)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.heads[-1].splitlines()[1:-1]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def _length(head: str) -> int:
    lengths = [line for line in head.lower().splitlines() if line.startswith("content-length: ")]
    return int(lengths[0].partition(": ")[2]) if lengths else 0


@pytest.fixture
async def mall() -> AsyncIterator[Mall]:
    made = Mall()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@asynccontextmanager
async def both() -> AsyncIterator[tuple[Http, Http]]:
    async with Wire() as wire, httpx.AsyncClient() as client:
        yield wire, client


CALLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("nothing but an address", "GET", "", {}),
    ("a path with what must stay escaped", "GET", "/items/A%2FX/%E8%8C%B6", {}),
    (
        "a query",
        "GET",
        "/a",
        {"params": {"at": "2026-01-01T09:00:00+09:00", "codes": "A,B C&D=茶"}},
    ),
    ("a query beside the address's own", "GET", "/a?x=1", {}),
    ("a document", "PATCH", "/a", {"json": {"name": "茶", "count": 3}}),
    ("a form", "POST", "/a", {"data": {"xml": "<a>茶 & b</a>", "empty": ""}}),
    (
        "bytes of a kind",
        "POST",
        "/a",
        {"content": b"\x00\xff", "headers": {"Content-Type": "text/xml"}},
    ),
    ("no body where one may be", "POST", "/a", {}),
    ("a body that needs none", "DELETE", "/a", {}),
    (
        "its own headers",
        "GET",
        "/a",
        {"headers": {"X-Key": "secret", "Accept": "application/json"}},
    ),
]


@pytest.mark.parametrize(("case", "method", "path", "parts"), CALLS)
async def test_a_mall_is_asked_as_httpx_asks(
    mall: Mall, case: str, method: str, path: str, parts: Mapping[str, Any]
) -> None:
    asked = []
    async with both() as ways:
        for http in ways:
            async with http.stream(method, mall.address + path, **parts) as response:
                assert (await bounded(response)).text == "ok"
            headers = {
                name: value
                for name, value in mall.headers.items()
                if name not in ("user-agent", "connection")
            }
            asked.append((mall.target, headers, mall.bodies[-1]))

    ours, httpxs = asked
    assert ours == httpxs, case


ANSWERS = [
    ("of a length", PLAIN, "ok"),
    ("in parts", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-length: 0\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok"),
    ("until the connection ends", b"HTTP/1.1 200 OK\r\n\r\nok", "ok"),
    ("to be read elsewhere", b"HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n", ""),
    (
        "packed",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(b"ok", mtime=0))
        + gzip.compress(b"ok", mtime=0),
        "ok",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("case", "answer", "text"), ANSWERS)
async def test_an_answer_is_read_as_httpx_reads_it(
    mall: Mall, case: str, answer: bytes, text: str
) -> None:
    mall.answer = answer
    read = []
    async with both() as ways:
        for http in ways:
            async with http.stream("GET", mall.address) as response:
                whole = await bounded(response)
            read.append((whole.status_code, whole.headers.multi_items(), whole.text))

    ours, httpxs = read
    assert ours == httpxs, case
    assert ours[2] == text, case


@pytest.mark.parametrize(
    ("case", "answer", "error"),
    [
        ("cut short", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", httpx.RemoteProtocolError),
        ("no answer", b"length", httpx.RemoteProtocolError),
        ("not what it says it is", b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok", httpx.DecodingError),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_fails_as_with_httpx(
    case: str, answer: bytes, error: type[Exception]
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, both() as ways:
        for http in ways:
            with pytest.raises(error):
                async with http.stream("GET", address) as response:
                    await bounded(response)


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("", httpx.UnsupportedProtocol),
        ("mall.example/a", httpx.UnsupportedProtocol),
        ("ftp://mall.example", httpx.UnsupportedProtocol),
        ("http://", httpx.UnsupportedProtocol),
        ("http://mall.example:port/", httpx.InvalidURL),
        ("http://[::1/", httpx.InvalidURL),
    ],
)
async def test_an_address_that_is_none_is_said_to_be_so(
    address: str, error: type[Exception]
) -> None:
    async with both() as ways:
        for http in ways:
            with pytest.raises(error):
                async with http.stream("GET", address):
                    pass
