"""A way to PostgreSQL that can be cut: bytes go through, until every connection breaks at once in the middle of whatever it is."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536


@dataclass(slots=True)
class Relay:
    """`folder`: what clients name as the server's host. `cut_at`: how many connections were cut so far."""

    server: Path
    folder: Path
    cuts: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self.cuts += len(self._open)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self._open.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self.server / SOCKET)
            self._open.add(up_writer)
            try:
                await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
            finally:
                self._open.discard(up_writer)
                up_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # who waits for it is asyncio's own callback, which takes a cancellation for a failure
        finally:
            self._open.discard(writer)
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one of both ends; then the other's pump ends too."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def relay(server: Path) -> AsyncIterator[Relay]:
    """`server`: the folder of PostgreSQL's socket."""
    with tempfile.TemporaryDirectory(prefix="renkei-relay-") as folder:
        made = Relay(server, Path(folder))
        listening = await asyncio.start_unix_server(made.pass_on, made.folder / SOCKET)
        try:
            yield made
        finally:
            made.cut()
            listening.close()
