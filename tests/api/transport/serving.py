"""The whole API behind a real server, and those who speak to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from renkei.serving import KEEP_ALIVE_SECONDS
from tests.patience import PATIENCE_SECONDS, eventually

PROTOCOL = "graphql-transport-ws"


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Its host and port, for as long as it is served."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, log_config=None, lifespan="on", timeout_keep_alive=KEEP_ALIVE_SECONDS
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def a_client(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://{address}", verify=False, timeout=PATIENCE_SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds. Raises TimeoutError when it does not in time."""
    await eventually(lambda: asyncio.sleep(0, holds()))


@dataclass(slots=True)
class Api:
    """Speaks HTTP for one token, and opens sockets."""

    http: httpx.AsyncClient
    address: str
    token: str
    headers: dict[str, str] = field(default_factory=lambda: {"accept-language": "en"})

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """`body`: bytes as they are, anything else as JSON. Header names as keywords; "" leaves one out."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.send(
            "POST", content=content, **{"content_type": "application/json", **headers}
        )

    async def get(self, params: Any = None, **headers: str) -> httpx.Response:
        return await self.send("GET", params=params, **headers)

    async def send(
        self, method: str, *, content: Any = None, params: Any = None, **headers: str
    ) -> httpx.Response:
        own = {"authorization": f"Bearer {self.token}", **self.headers}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**own, **named}.items() if value}
        return await self.http.request(
            method, "/graphql", content=content, params=params, headers=sent
        )

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data; fails on errors."""
        answer = (await self.post({"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    @asynccontextmanager
    async def elsewhere(self, app: ASGIApp) -> AsyncIterator["Api"]:
        """The same token at another server."""
        async with serving(app) as address, a_client(address) as http:
            yield Api(http, address, self.token)

    @asynccontextmanager
    async def socket(
        self, *protocols: str, origin: str | None = None, **options: Any
    ) -> AsyncIterator["Socket"]:
        """As it is accepted: nothing has been said yet."""
        offered = [Subprotocol(each) for each in protocols or (PROTOCOL,)]
        async with connect(
            f"ws://{self.address}/graphql", subprotocols=offered, origin=origin, **options
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def talking(self, **options: Any) -> AsyncIterator["Socket"]:
        """After connection_init."""
        async with self.socket(**options) as socket:
            await socket.init(authorization=f"Bearer {self.token}", locale="EN")
            yield socket


@dataclass(slots=True)
class Socket:
    connection: ClientConnection

    async def say(self, **message: Any) -> None:
        await self.connection.send(orjson.dumps(message).decode())

    async def hear(self) -> Any:
        """The next message that is no ping."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = orjson.loads(await self.connection.recv())
        return await self.hear() if message == {"type": "ping"} else message

    async def init(self, **payload: Any) -> None:
        await self.say(type="connection_init", payload=payload)
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, operation_id: str, query: str, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.say(type="subscribe", id=operation_id, payload=payload)

    async def frame(self) -> Any:
        """The value of the only field of the next `next`."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message["payload"]
        return next(iter(message["payload"]["data"].values()))

    async def end(self) -> tuple[int, str]:
        """Code and reason with which the server closes; whatever it says before is let go."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(ConnectionClosed):
                async for _ in self.connection:
                    continue
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""
