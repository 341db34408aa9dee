"""The board of the demo, as a terminal shows it."""

from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console

from domain.model.malls import MallKind
from domain.store.audit import Unsettled
from renkei.demo.board import Board
from renkei.demo.replay import Tally
from renkei.demo.screen import CellView, RowView, ShopView, View

VIEW = View(
    progress=0.5,
    shops={MallKind.RAKUTEN: ShopView(name="店", state="RUNNING", waiting=5)},
    tallies={MallKind.RAKUTEN: Tally(orders=1, lines=2, refused=3, cancelled=4)},
    unsettled=Unsettled(waiting=5, unread=0, differences=0, pushes=9, oversold=0),
    errors_opened=7,
    errors_open=6,
    median=400,
    p95=None,
    rows=[
        RowView("茶", {MallKind.RAKUTEN: CellView(mall=5, ours=5, held=False)}),
        RowView("MUG", {MallKind.RAKUTEN: CellView(mall=5, ours=4, held=False)}),
        RowView("CUP", {MallKind.RAKUTEN: CellView(mall=1200, ours=1200, held=True)}),
        RowView("JAR", {MallKind.RAKUTEN: CellView(mall=None, ours=3, held=True)}),
    ],
    missing=(1, 20),
)


def test_every_number_of_a_mall_stands_under_its_name() -> None:
    console = Console(width=60, height=24)
    board = Board("Renkei demo", console)
    board.caption("A shopper buys")
    board.show(VIEW)

    with console.capture() as shown:
        console.print(board.picture())

    lines = [line.split() for line in shown.get().splitlines()]
    assert lines[0] == ["Renkei", "demo"]
    assert lines[2:8] == [
        ["A", "shopper", "buys"],
        ["product", "Rakuten", "Ichiba"],
        ["茶", "5"],
        ["MUG", "5", "≠4"],
        ["CUP", "1,200", "‖"],
        ["JAR", "–", "‖≠3"],
    ]
    assert lines[8:10] == [
        ["mall", "orders", "lines", "refused", "cancels", "waiting", "state"],
        ["Rakuten", "Ichiba", "1", "2", "3", "4", "5", "running"],
    ]


def test_the_comparison_is_read_at_eighty_columns_and_numbers_stand_under_numbers() -> None:
    console = Console(width=80, height=24)
    board = Board("Renkei demo", console)
    board.show(replace(VIEW, missing=(1_234, 12_345)))

    with console.capture() as shown:
        console.print(board.picture())

    assert "that did not exist 1,234   at malls told every 5 minutes 12,345\n" in shown.get()
    rows = [line for line in shown.get().splitlines() if line.startswith(("茶", "MUG"))]
    places = [cell_len(row[: row.rindex("5") + 1]) for row in rows]
    assert places[0] == places[1]


def test_a_low_terminal_shows_as_many_rows_as_there_is_room_for() -> None:
    console = Console(width=60, height=20)
    board = Board("Renkei demo", console)
    board.show(VIEW)

    with console.capture() as shown:
        console.print(board.picture())

    assert [name for name in ("茶", "MUG", "CUP", "JAR") if name in shown.get()] == ["茶", "MUG"]
