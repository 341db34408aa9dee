"""What a person sees of the demo: a table that keeps still in a terminal, lines in a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from domain.model.malls import MallKind
from domain.store.audit import Unsettled
from renkei.demo.replay import Tally


@dataclass(frozen=True, slots=True)
class ShopView:
    name: str
    state: str
    waiting: int


@dataclass(frozen=True, slots=True)
class CellView:
    """`mall`: the mall's own number; `ours`: what it should be. `held`: what differs is kept back."""

    mall: int | None
    ours: int | None
    held: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """One product on show, and its cell at each mall."""

    name: str
    cells: Mapping[MallKind, CellView]


@dataclass(frozen=True, slots=True)
class View:
    """One look at everything. `median` and `p95`: milliseconds from an order's listing to the last mall, lately."""

    progress: float
    shops: Mapping[MallKind, ShopView]
    tallies: Mapping[MallKind, Tally]
    unsettled: Unsettled
    errors_opened: int
    errors_open: int
    median: int | None
    p95: int | None
    rows: Sequence[RowView] = ()
    missing: tuple[int, int] = (0, 0)
    """Units sold that did not exist: here, and at malls told every five minutes."""


class Screen(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def say(self, text: str) -> None:
        """One thing that happened."""
        ...

    def caption(self, text: str) -> None:
        """What is being shown, until the next one."""
        ...

    def show(self, view: View) -> None:
        """How it stands now."""
        ...

    def tell(self, lines: Sequence[str]) -> None:
        """What a person may want to copy: printed as it is, and left to stand."""
        ...


def seconds(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds / 1000:.1f} s"
