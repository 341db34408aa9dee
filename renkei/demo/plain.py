"""The demo as lines, for logs and pipes."""

from collections.abc import Callable, Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from renkei.demo.screen import View, seconds

SHOW_EVERY = 5.0


class Plain:
    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._shown = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def say(self, text: str) -> None:
        print(f"[{self._clock() - self._begun:6.1f} s] {text}", flush=True)

    def caption(self, text: str) -> None:
        self.say(text)

    def show(self, view: View) -> None:
        """Every few seconds: the lines between would say the same."""
        if self._clock() - self._shown < SHOW_EVERY:
            return
        self._shown = self._clock()
        self.say(_line(view))

    def tell(self, lines: Sequence[str]) -> None:
        print("\n".join(lines), flush=True)


def _line(view: View) -> str:
    tallies = view.tallies.values()
    return (
        f"{view.progress:4.0%}  orders {sum(t.orders for t in tallies)}"
        f"  refused lines {sum(t.refused for t in tallies)}  pushes {view.unsettled.pushes}"
        f"  waiting {view.unsettled.waiting}  differences {view.unsettled.differences}"
        f"  order to last mall {seconds(view.median)} (p95 {seconds(view.p95)})"
        f"  errors {view.errors_open} open of {view.errors_opened}"
        f"  sold and not there {view.missing[0]:,}, told every 5 minutes {view.missing[1]:,}"
    )
