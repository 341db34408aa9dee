"""The story on a thread of its own: the main one belongs to the supervisor and to signals."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Answer = TypeVar("Answer")
PATIENCE = 30.0


class Ended(BaseException):
    """Raised on the main thread when the story has ended."""


class Driver(Generic[Answer]):
    """Runs beside the block; leaving the block cancels it and waits until it has put itself away."""

    def __init__(self, story: Callable[[], Coroutine[Any, Any, Answer]]) -> None:
        self._story = story
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[Answer] | None = None
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._ended.is_set() and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE)

    def pause(self, seconds: float) -> None:
        """As time.sleep, but raises Ended once the story has ended."""
        if self._ended.wait(seconds):
            raise Ended

    def answer(self) -> Answer:
        """What the story answered, or raises what it raised. Only after Ended."""
        assert self._task is not None
        return self._task.result()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._watched())

    async def _watched(self) -> None:
        self._task = asyncio.create_task(self._story())
        self._begun.set()
        await asyncio.wait([self._task])
        self._ended.set()
