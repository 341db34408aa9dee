"""GraphQL over WebSocket: the protocol graphql-transport-ws, and no other."""

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.messages import PROTOCOL, Close
from api.origins import Origins
from api.session import Desk, Session


class SocketRoute:
    """Pages of an allowed origin or our own may connect, and who is no browser."""

    def __init__(self, desk: Desk, origins: Origins) -> None:
        self._desk = desk
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if not self._origins.allow(socket):
            await socket.close()
        elif PROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(Close.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
        else:
            await socket.accept(PROTOCOL)
            await Session(self._desk, socket).run()
