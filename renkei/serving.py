"""Listening, and serving an application on what listens."""

import contextlib
import errno
import signal
import socket
from http.client import HTTPConnection, HTTPException
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from renkei.engines.process import wait_until
from renkei.refusal import Refusal

BACKLOG = 2048
BUSY_SECONDS = 1.0
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""An idle connection is kept for longer than proxies and clients keep theirs: if the server closed first, a call could
go into a line that is just being closed, and be lost."""

MOST_MESSAGE_BYTES = 2 * 1_048_576
"""Of one message on a socket, before an application sees it."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Refusal when it cannot be had.

    A busy port gets a moment: what a killed run left may only just be ending.
    """
    listener, address = _opened(host, port)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not wait_until(lambda: _binds(listener, address), patience=BUSY_SECONDS):
            raise OSError(errno.EADDRINUSE, "busy")
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_had(host, port, error) from error
    return listener


def _opened(host: str, port: int) -> tuple[socket.socket, Any]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Refusal(
            f"{host} is no address ({error.strerror}). Give another with --host."
        ) from error
    return socket.socket(family, kind, protocol), address


def _binds(listener: socket.socket, address: Any) -> bool:
    try:
        listener.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _not_had(host: str, port: int, error: OSError) -> Refusal:
    match error.errno:
        case errno.EADDRINUSE:
            return Refusal(
                f"Port {port} on {host} is busy. Stop what listens there, or choose another with"
                " --port (0 picks a free one)."
            )
        case errno.EACCES:
            return Refusal(f"You may not listen on port {port}. Choose one above 1023 with --port.")
        case _:
            return Refusal(f"Cannot listen on {host}, port {port}: {error.strerror}. See --host.")


def address(listener: socket.socket) -> str:
    """Where a browser on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(listener: socket.socket) -> bool:
    """Whether an application stands behind the listener: it answers HTTP, whatever it says."""
    host, port = address(listener).removeprefix("http://").rsplit(":", 1)
    with contextlib.closing(HTTPConnection(host.strip("[]"), int(port), timeout=1)) as client:
        try:
            client.request("GET", "/health")
            return client.getresponse().status > 0
        except (OSError, HTTPException):
            return False


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then let open requests end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=MOST_MESSAGE_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # uvicorn raises what it caught once more when it is done; that must not end us by a signal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise Refusal("The server did not start; the log says why.")
