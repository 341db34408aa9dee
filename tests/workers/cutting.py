"""Cutting work off at any of its pauses."""

import asyncio
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from itertools import count
from typing import Any

MOST_PAUSES = 200


@dataclass
class CutOff:
    """Awaits like `work`, in a task of its own that is cut off at its `nth` pause: as it begins to wait or, `late`, just as
    what it waits for has come."""

    work: Coroutine[Any, Any, None]
    nth: int
    late: bool

    def __await__(self) -> Generator[Any, Any, None]:
        error: BaseException | None = None
        for nth in count(1):
            try:
                pause = self.work.send(None) if error is None else self.work.throw(error)
            except StopIteration:
                return
            if nth == self.nth:
                self._cut(pause)
            try:
                yield pause
                error = None
            except BaseException as raised:
                error = raised

    def _cut(self, pause: "asyncio.Future[Any] | None") -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.late and pause is not None:
            pause.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def is_cut_off(work: Coroutine[Any, Any, None], nth: int, late: bool) -> bool:
    """False: it ended before its nth pause."""

    async def run() -> None:
        await CutOff(work, nth, late)

    task = asyncio.create_task(run())
    await asyncio.wait({task})
    if not task.cancelled():
        await task
    return task.cancelled()
