"""Valkey: rings bells and keeps nothing, so nothing of it is written to disk."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renkei.engines import binaries
from renkei.engines.datadir import DataDirectory
from renkei.engines.process import Words, spawn, stop, wait_until
from renkei.engines.sockets import socket_folder
from renkei.refusal import Refusal

PATIENCE = 30.0
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "maxmemory": "128mb",
    # A bell that does not fit is refused aloud; an evicted one would be lost in silence.
    "maxmemory-policy": "noeviction",
}


class Valkey:
    """One server, which may be started again after it has ended; what it held is gone then."""

    name = "valkey"

    def __init__(self, data: DataDirectory, sockets: Path) -> None:
        self._data = data
        self._socket = sockets / "valkey.sock"
        self._program = binaries.program(data, binaries.VALKEY, "*/_binaries/linux-*/valkey-server")
        self._process: subprocess.Popen[str] | None = None
        self._words: Words | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def start(self) -> None:
        """`spawn` and `wait_ready`."""
        self.spawn()
        self.wait_ready()

    @property
    def url(self) -> str:
        return f"unix://{self._socket}?db=0"

    def spawn(self) -> None:
        """Start the server. On the main thread."""
        settings = SETTINGS | {"unixsocket": str(self._socket), "dir": str(self._socket.parent)}
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = spawn(
            [self._program, *options],
            dies_by=signal.SIGKILL,
            runner=self._data.runner,
            env={"LC_ALL": "C", "PATH": os.defpath},
            output=subprocess.PIPE,
        )
        self._words = Words(self.name, self._process)

    def wait_ready(self) -> None:
        """Return once it answers. Raises Refusal with its last words when it does not."""
        words = self._words
        assert words is not None
        done = wait_until(
            lambda: self._answers() or self.has_ended(),
            progress=lambda: words.count,
            patience=PATIENCE,
        )
        if not done or self.has_ended():
            self.stop()
            raise Refusal(f"Valkey did not start. It said:\n{words.last()}")

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, (signal.SIGTERM, 5))

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False


@contextmanager
def embedded_valkey(data: DataDirectory) -> Iterator[Valkey]:
    """A ready server for as long as the block runs."""
    with socket_folder(data, Valkey.name) as sockets:
        server = Valkey(data, sockets)
        try:
            server.start()
            yield server
        finally:
            server.stop()
