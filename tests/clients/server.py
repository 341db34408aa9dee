"""The API as it is deployed, in a process that can be killed and comes back on the same port."""

import asyncio
import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

import httpx

from domain.settings import Settings
from renkei.engines.process import spawn
from tests.api.transport.serving import a_client
from tests.patience import PATIENCE_SECONDS


@dataclass
class Server:
    settings: Settings
    port: int
    words: IO[str]
    process: "subprocess.Popen[str] | None" = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def start(self) -> None:
        """Returns when it is ready."""
        self.process = spawn(
            [sys.executable, "-m", "renkei", "api", "--port", str(self.port)],
            dies_by=signal.SIGKILL,
            env=_environment(self.settings),
            output=self.words.fileno(),
        )
        async with asyncio.timeout(PATIENCE_SECONDS), a_client(self.address) as http:
            while not await _is_ready(http):
                assert self.runs, self.said()
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """With SIGKILL: it closes nothing and says nothing."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        self.words.seek(0)
        return self.words.read()


@asynccontextmanager
async def a_server(settings: Settings) -> AsyncIterator[Server]:
    with tempfile.TemporaryFile("w+") as words:
        server = Server(settings, _free_port(), words)
        try:
            await server.start()
            yield server
        finally:
            server.kill()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _environment(settings: Settings) -> Mapping[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RENKEI_")}
    return kept | {
        "RENKEI_DATABASE_URL": settings.database_url,
        "RENKEI_REDIS_URL": settings.redis_url,
        "RENKEI_SECRET_KEY": base64.b64encode(settings.secret_key).decode(),
        "RENKEI_DATABASE_POOL": str(settings.database_pool),
    }
