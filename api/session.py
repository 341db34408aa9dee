"""One socket that speaks graphql-transport-ws, from its acceptance to its end.

One task reads, one writes, each operation has its own. A reader that is slower than what it subscribed to is cut off with
1013: it comes back and subscribes after the last cursor it got.
"""

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.auth import Gate
from api.broadcast import Broadcaster
from api.context import Viewer
from api.errors import Code, Refused, failure, refused
from api.execution import Engine, Operation, errors_body
from api.messages import (
    ACK,
    PING,
    Close,
    Complete,
    Ended,
    Init,
    Message,
    Ping,
    Subscribe,
    complete_message,
    error_message,
    next_message,
    pong_message,
    read_message,
)
from api.requests import Request
from api.seats import Holder, Seats
from api.watch import Watch, Watched
from domain.model.locales import Locale

MOST_OPERATIONS = 100
MOST_WAITING = 64
"""Messages that wait for one socket to take them."""

NO_TOKEN = 'Forbidden: connection_init needs {"authorization": "Bearer <token>"} with a token that is good.'
IDLE = "Nothing was asked for here for long: open another when there is something."
RESUME = "You read slower than this goes: subscribe again after your last cursor."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: until connection_init, of silence until a ping, for one message to be taken, for a farewell, without
    any operation."""

    init: float = 10.0
    silent: float = 25.0
    send: float = 15.0
    close: float = 10.0
    idle: float = 600.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What every socket of a process is served with."""

    engine: Engine
    broadcaster: Broadcaster
    gate: Gate
    watch: Watch
    seats: Seats
    patience: Patience


class Session:
    def __init__(self, desk: Desk, socket: WebSocket) -> None:
        self._desk = desk
        self._socket = socket
        self._viewer: Viewer | None = None
        self._watched: Watched | None = None
        self._holder = Holder(0)
        self._resting: asyncio.TimerHandle | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._held = ExitStack()

    async def run(self) -> None:
        ended = await self._ending()
        if ended is not None:
            await self._close(ended)
        account = str(self._viewer.account_id) if self._viewer else None
        log.info("socket_closed", account=account, code=ended.code.value if ended else None)

    async def _ending(self) -> Ended | None:
        """Serves until the end, whose reason it answers; None when the client went."""
        timer = asyncio.get_running_loop().call_later(self._desk.patience.init, self._check_init)
        tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]
        try:
            await _first_of(*tasks, self._ended)
            return self._reason(tasks)
        finally:
            timer.cancel()
            self._wake()
            self._resting = None
            self._held.close()
            await _cancelled([*tasks, *self._operations.values()])

    def end(self, code: Close, reason: str) -> None:
        """Closes the socket, whatever it is doing."""
        if not self._ended.done():
            self._ended.set_result(Ended(code, reason))

    def say(self, message: str) -> None:
        """Without waiting: a socket that takes too little ends."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.end(Close.TRY_AGAIN, RESUME)

    def _check_init(self) -> None:
        if self._viewer is None:
            self.end(Close.INIT_TIMEOUT, "Connection initialisation timeout")

    def _reason(self, tasks: Collection[asyncio.Task[None]]) -> Ended | None:
        if self._ended.done():
            return self._ended.result()
        errors = (task.exception() for task in tasks if task.done())
        match next(errors):
            case Ended() as ended:
                return ended
            case None | WebSocketDisconnect():
                return None
            case error:
                ours = failure(error, Locale.EN)
                code = Close.INTERNAL if ours.status == 500 else Close.TRY_AGAIN
                return Ended(code, str(ours))

    async def _close(self, ended: Ended) -> None:
        """Who does not read any more does not hear why."""
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(self._desk.patience.close):
                await self._socket.close(ended.code, ended.reason)

    async def _read(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received["code"])
            if received.get("text") is None:
                raise Ended(Close.BAD_REQUEST, "Messages are text.")
            await self._handle(read_message(received["text"]))

    async def _write(self) -> None:
        while True:
            message = await self._next()
            try:
                async with asyncio.timeout(self._desk.patience.send):
                    await self._socket.send_text(message)
            except TimeoutError:
                raise Ended(Close.TRY_AGAIN, RESUME) from None

    async def _next(self) -> str:
        """What waits, or a ping when nothing did for long."""
        try:
            async with asyncio.timeout(self._desk.patience.silent):
                return await self._waiting.get()
        except TimeoutError:
            return PING

    async def _handle(self, message: Message) -> None:
        match message:
            case Init():
                await self._init(message)
            case Subscribe():
                self._subscribe(message)
            case Complete():
                self._complete(message.id)
            case Ping():
                self.say(pong_message(message.payload))

    async def _init(self, init: Init) -> None:
        if self._viewer is not None:
            raise Ended(Close.TOO_MANY_INITS, "Too many initialisation requests")
        languages = self._socket.headers.get("accept-language")
        try:
            token = self._desk.gate.token(self._socket, init.authorization)
            viewer = await self._desk.gate.viewer(token, languages)
        except Refused as refused:
            raise Ended(Close.FORBIDDEN, NO_TOKEN) from refused
        self._holder = self._held.enter_context(self._desk.seats.taken(token))
        watched = self._desk.watch.over(token, viewer, self._forbid)
        self._watched = self._held.enter_context(watched)
        self._viewer = replace(viewer, locale=init.locale or viewer.locale)
        self._resting = self._rest()
        self.say(ACK)

    def _forbid(self) -> None:
        self.end(Close.FORBIDDEN, "Forbidden: the token's rights have changed, or it has ended.")

    def _rest(self) -> asyncio.TimerHandle:
        """From now on nothing runs here."""
        idle = self._desk.patience.idle
        return asyncio.get_running_loop().call_later(idle, self.end, Close.NORMAL, IDLE)

    def _wake(self) -> None:
        """Of no effect before the beginning and after the end."""
        if self._resting is not None:
            self._resting.cancel()

    def _subscribe(self, message: Subscribe) -> None:
        if self._viewer is None or self._watched is None:
            raise Ended(Close.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Ended(Close.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        no = message.refused or self._full()
        if no is not None:
            self.say(_refusal(message.id, no, self._viewer))
            return
        self._watched.in_use = True
        self._begin(message.id, self._operate(message.id, message.request, self._viewer))

    def _full(self) -> Refused | None:
        """Why no more operations can begin here."""
        room = len(self._operations) < MOST_OPERATIONS and self._holder.left > 0
        return None if room else _too_many()

    def _begin(self, operation_id: str, work: Coroutine[Any, Any, None]) -> None:
        self._wake()
        self._holder.left -= 1
        self._operations[operation_id] = asyncio.create_task(work)
        self._operations[operation_id].add_done_callback(self._ended_operation)

    def _ended_operation(self, task: asyncio.Task[None]) -> None:
        self._holder.left += 1
        if not self._operations and self._resting is not None:
            self._wake()
            self._resting = self._rest()

    def _complete(self, operation_id: str) -> None:
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()

    async def _operate(self, operation_id: str, request: Request, viewer: Viewer) -> None:
        try:
            told = await self._told(operation_id, request, viewer)
        except Refused as refused:
            told = [_refusal(operation_id, refused, viewer)]
        except Exception as error:
            told = [_refusal(operation_id, failure(error, viewer.locale), viewer)]
        if self._operations.get(operation_id) is asyncio.current_task():
            del self._operations[operation_id]
        for message in told:
            await self._waiting.put(message)

    async def _told(self, operation_id: str, request: Request, viewer: Viewer) -> list[str]:
        """The last messages of an operation. Raises Refused."""
        operation = await self._desk.engine.prepared(request, viewer)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise await self._followed(operation_id, operation, viewer)
        answer = await self._desk.engine.answer(operation, viewer)
        if not answer.executed:
            return [error_message(operation_id, answer.body)]
        payload = answer.body.decode()
        return [next_message(operation_id, payload), complete_message(operation_id)]

    async def _followed(self, operation_id: str, operation: Operation, viewer: Viewer) -> Refused:
        """Why no more comes; a subscription ends by itself for no other reason."""
        ear = Ear(self, operation_id)
        async with self._desk.broadcaster.following(operation, viewer, ear):
            return await ear.ended


class Ear:
    """One subscription of one socket. `ended`: why nothing more comes."""

    def __init__(self, session: Session, operation_id: str) -> None:
        self._session = session
        self._operation_id = operation_id
        self.ended: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()

    def hear(self, payload: str) -> None:
        self._session.say(next_message(self._operation_id, payload))

    def end(self, refused: Refused) -> None:
        if not self.ended.done():
            self.ended.set_result(refused)


def _refusal(operation_id: str, no: Refused, viewer: Viewer) -> str:
    return error_message(operation_id, errors_body(no.errors, viewer.locale))


def _too_many() -> Refused:
    return refused(
        Code.TOO_MANY_OPERATIONS,
        f"{MOST_OPERATIONS} operations run on this socket already, or too many with this token: complete some.",
    )


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
