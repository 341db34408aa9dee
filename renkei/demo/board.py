"""The demo as a table that keeps still."""

from collections import deque
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from renkei.demo.screen import CellView, View, seconds
from renkei.demo.stalls import NAMES

LINES_KEPT = 4
NAME_WIDTH = 34
NUMBER_WIDTH = 5
LINES_BESIDE = 18
"""Lines of everything but the rows: a low terminal shows as many rows as there is room for."""
FRAMES = 4
STATES = {"RUNNING": "green", "MAINTENANCE": "yellow", "CATCHING_UP": "cyan", "PROBING": "cyan"}


class Board:
    """Repaints in place; what it is told to leave standing is printed above."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console()
        self._begun = monotonic()
        self._happened: deque[str] = deque(maxlen=LINES_KEPT)
        self._view: View | None = None
        self._caption = ""
        self._live = Live(
            get_renderable=self.picture, console=self._console, refresh_per_second=FRAMES
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def say(self, text: str) -> None:
        self._happened.append(f"{monotonic() - self._begun:5.0f} s  {text}")

    def caption(self, text: str) -> None:
        self._caption = text

    def show(self, view: View) -> None:
        self._view = view

    def tell(self, lines: Sequence[str]) -> None:
        self._console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)

    def picture(self) -> RenderableType:
        """Never wider than the terminal: long lines end in …"""
        happened = Text("\n".join(self._happened), style="dim", overflow="ellipsis", no_wrap=True)
        title = Text(self._title, style="bold", overflow="ellipsis", no_wrap=True)
        if self._view is None:
            return Group(title, happened)
        view = self._view
        # A bare bar ends no line, and what follows it is cropped: the heads of the table.
        bar = Padding(ProgressBar(total=1.0, completed=view.progress), 0)
        said = Text(self._caption, style="bold yellow")
        return Group(
            title,
            bar,
            said,
            _grid(view, self._console.height - LINES_BESIDE),
            _malls(view),
            _sums(view),
            happened,
        )


def _grid(view: View, room: int) -> Table:
    """Each mall's own number; where it differs, ours beside it."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("product", no_wrap=True, max_width=NAME_WIDTH)
    for kind in view.shops:
        table.add_column(NAMES[kind], no_wrap=True)
    for row in view.rows[: max(0, room)]:
        table.add_row(Text(row.name), *(_cell(row.cells[kind]) for kind in view.shops))
    return table


def _cell(cell: CellView) -> Text:
    """A sign says what the colour says; numbers stand under numbers, with and without one."""
    shown = "–" if cell.mall is None else f"{cell.mall:,}"
    differs = cell.mall != cell.ours
    style = "magenta" if differs else "bright_black" if cell.held else ""
    signs = ("‖" if cell.held else "") + (f"≠{cell.ours}" if differs else "")
    return Text(f"{shown:>{NUMBER_WIDTH}} {signs}".rstrip(), style=style)


def _malls(view: View) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("mall", no_wrap=True)
    for name in ("orders", "lines", "refused", "cancels", "waiting"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for kind, shop in view.shops.items():
        tally = view.tallies[kind]
        numbers = (tally.orders, tally.lines, tally.refused, tally.cancelled, shop.waiting)
        state = Text(shop.state.lower().replace("_", " "), style=STATES.get(shop.state, "red"))
        table.add_row(NAMES[kind], *(f"{number:,}" for number in numbers), state)
    return table


def _sums(view: View) -> Text:
    now = view.unsettled
    return Text(
        f"pushes {now.pushes:,}   differences {now.differences:,}   oversold {now.oversold}"
        f"   errors {view.errors_open} open of {view.errors_opened}\n"
        f"order to last mall {seconds(view.median)}, p95 {seconds(view.p95)}\n"
        f"units sold that did not exist {view.missing[0]:,}   at malls told every 5 minutes {view.missing[1]:,}",
        overflow="ellipsis",
        no_wrap=True,
    )
