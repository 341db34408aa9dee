"""GraphQL over WebSocket: the protocol graphql-transport-ws, and no other."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.messages import PROTOCOL, Close
from api.session import Desk, Session


class SocketRoute:
    def __init__(self, desk: Desk, allowed_origins: Collection[str]) -> None:
        self._desk = desk
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if not self._may_connect(socket):
            await socket.close()
        elif PROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(Close.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        else:
            await socket.accept(PROTOCOL)
            await Session(self._desk, socket).run()

    def _may_connect(self, socket: WebSocket) -> bool:
        """Pages of an allowed origin or our own; who is no browser names none."""
        origin = socket.headers.get("origin")
        if origin is None or origin in self._allowed_origins:
            return True
        return urlsplit(origin).netloc == socket.headers.get("host")
