"""Work once, send many: those who follow the same thing share one execution and one encoded frame.

Whoever subscribes begins alone, at a cursor of their own. Once they stand where others stand with the same document,
variables, rights and language, they go on together.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, cast

import orjson
from graphql import FieldNode, VariableNode

from api.context import Viewer
from api.errors import Refused, failure, refused_by
from api.execution import Engine, Operation, answer_of
from api.following import Following
from domain.model.errors import DomainError

BACKOFF_SECONDS = 1.0


class Listener(Protocol):
    def hear(self, payload: str) -> None:
        """A frame's answer, as JSON. Must not wait."""

    def end(self, refused: Refused) -> None:
        """Nothing more will come."""


class Broadcaster:
    """One serves a process. `_shared`: for each kind of subscription the stream that others join."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._shared: dict[Hashable, Stream] = {}
        self._heard: dict[Listener, Stream] = {}

    @asynccontextmanager
    async def following(
        self, operation: Operation, viewer: Viewer, listener: Listener
    ) -> AsyncIterator[None]:
        """The listener hears every frame from the operation's cursor on. Raises Refused."""
        following = await self.engine.subscribed(operation, viewer)
        stream = Stream(self, operation, viewer, following)
        self.attach(stream, {listener})
        stream.start()
        try:
            yield
        finally:
            self._heard.pop(listener).leave(listener)

    def __len__(self) -> int:
        """Executions for each event, however many listen."""
        return len(set(self._heard.values()))

    def attach(self, stream: "Stream", listeners: "set[Listener]") -> None:
        stream.listeners |= listeners
        self._heard.update(dict.fromkeys(listeners, stream))

    def leading(self, stream: "Stream") -> "Stream":
        """The stream that others of its kind join: this one, when there is none."""
        return self._shared.setdefault(stream.key, stream)

    def ended(self, stream: "Stream") -> None:
        if self._shared.get(stream.key) is stream:
            del self._shared[stream.key]


class Stream:
    """One execution for each frame, and all who listen to it."""

    def __init__(
        self,
        broadcaster: Broadcaster,
        operation: Operation,
        viewer: Viewer,
        following: Following[Any],
    ) -> None:
        self.key = sharing_key(operation, viewer)
        self.following = following
        self.listeners: set[Listener] = set()
        self._broadcaster = broadcaster
        self._operation = operation
        self._viewer = viewer
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        if not self.listeners and self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while self.listeners:
                await self._deliver()
        except DomainError as error:
            self._end(refused_by(error))
        finally:
            self._broadcaster.ended(self)

    async def _deliver(self) -> None:
        """Until it has joined another. What fails on our side is tried again from where it stood."""
        try:
            async with aclosing(cast(Any, aiter(self.following))) as frames:
                async for shown in frames:
                    self._tell(await self._told(shown))
                    self.following.delivered()
                    if self._joined():
                        return
        except DomainError:
            raise
        except Exception as error:
            failure(error, self._viewer.locale)
            await asyncio.sleep(BACKOFF_SECONDS)

    def _tell(self, payload: str) -> None:
        for listener in list(self.listeners):
            listener.hear(payload)

    async def _told(self, shown: Any) -> str:
        """A node that went between two statements would take its whole frame along: it is left out."""
        engine = self._broadcaster.engine
        result = await engine.executed(self._operation, self._viewer, shown)
        if result.data is None:
            shown = await self.following.again()
            result = await engine.executed(self._operation, self._viewer, shown)
        return answer_of(result, self._viewer.locale).body.decode()

    def _joined(self) -> bool:
        """Hands its listeners to the leading stream of its kind, when both have told the same."""
        leader = self._broadcaster.leading(self)
        if leader is self or leader.following.position != self.following.position:
            return False
        self._broadcaster.attach(leader, self.listeners)
        self.listeners = set()
        return True

    def _end(self, refused: Refused) -> None:
        for listener in list(self.listeners):
            listener.end(refused)


def sharing_key(operation: Operation, viewer: Viewer) -> Hashable:
    """Equal for those who may hear the same frames; where they begin does not matter."""
    begins = _cursor_variable(operation)
    variables = {
        name: value for name, value in operation.request.variables.items() if name != begins
    }
    return (
        viewer.account_id,
        viewer.permissions,
        viewer.locale,
        operation.request.query,
        operation.request.operation_name,
        orjson.dumps(variables, option=orjson.OPT_SORT_KEYS),
    )


def _cursor_variable(operation: Operation) -> str | None:
    """The variable that says where the subscription begins, when one does."""
    field = operation.definition.selection_set.selections[0]
    given = field.arguments if isinstance(field, FieldNode) else ()
    named = (each.value for each in given or () if each.name.value == "after")
    return next((each.name.value for each in named if isinstance(each, VariableNode)), None)
