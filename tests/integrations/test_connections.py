"""Connections that are kept open between calls, against a real server that counts them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from integrations.connections import Wire
from tests.patience import eventually

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Host:
    """Answers each request once `answers` is set. `met`: how many connections were made to it."""

    address: str = ""
    met: int = 0
    asked: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        self.writers.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                await self.answers.wait()
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def is_asked(self, times: int) -> None:
        await eventually(lambda: asyncio.sleep(0, self.asked >= times))

    async def hangs_up(self) -> None:
        """On all that are connected; what was sent to them has arrived when this ends."""
        for writer in self.writers:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def a_host() -> AsyncIterator[Host]:
    host = Host()
    host.answers.set()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    host.address = f"http://127.0.0.1:{port}/"
    async with server:
        yield host
        await host.hangs_up()


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with a_host() as made:
        yield made


def a_wire(seconds: float = 60.0, at_most: int = 10) -> Wire:
    return Wire(seconds=seconds, at_most=at_most)


async def get(wire: Wire, address: str) -> str:
    async with wire.stream("GET", address) as response:
        return (await response.aread()).decode()


async def test_calls_after_one_another_share_a_connection(host: Host) -> None:
    async with a_wire() as wire:
        assert [await get(wire, host.address) for _ in range(5)] == ["ok"] * 5
    assert host.met == 1


async def test_calls_at_once_have_one_each_and_leave_them_to_the_next(host: Host) -> None:
    async with a_wire() as wire:
        for _ in range(2):
            host.answers.clear()
            before = host.asked
            calls = [asyncio.create_task(get(wire, host.address)) for _ in range(4)]
            await host.is_asked(before + 4)
            host.answers.set()
            await asyncio.gather(*calls)
    assert host.met == 4


async def test_another_place_is_never_reached_by_the_same_connection(host: Host) -> None:
    async with a_host() as other, a_wire() as wire:
        for _ in range(2):
            await get(wire, host.address)
            await get(wire, other.address)
        assert (host.met, host.asked, other.met, other.asked) == (1, 2, 1, 2)


async def test_a_connection_that_the_mall_closed_meanwhile_is_not_used(host: Host) -> None:
    async with a_wire() as wire:
        await get(wire, host.address)
        await host.hangs_up()
        assert await get(wire, host.address) == "ok"
    assert host.met == 2


async def test_a_call_that_was_given_up_takes_its_connection_along(host: Host) -> None:
    """Its answer would be taken for the next call's."""
    async with a_wire() as wire:
        host.answers.clear()
        call = asyncio.create_task(get(wire, host.address))
        await host.is_asked(1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        host.answers.set()
        await get(wire, host.address)
    assert host.met == 2


async def test_what_is_idle_for_too_long_is_not_used(host: Host) -> None:
    async with a_wire(seconds=-1.0) as wire:
        await get(wire, host.address)
        await get(wire, host.address)
    assert host.met == 2


async def test_only_so_many_are_kept(host: Host) -> None:
    async with a_wire(at_most=1) as wire:
        for _ in range(2):
            host.answers.clear()
            before = host.asked
            calls = [asyncio.create_task(get(wire, host.address)) for _ in range(3)]
            await host.is_asked(before + 3)
            host.answers.set()
            await asyncio.gather(*calls)
    assert host.met == 3 + 2


async def test_a_place_where_nobody_listens_is_said_to_be_so() -> None:
    async with a_host() as gone:
        address = gone.address
    async with a_wire() as wire:
        with pytest.raises(httpx.ConnectError):
            await get(wire, address)
