"""A CSV or TSV file as rows of named cells. Columns are found by name, never by position."""

import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from integrations.files.problems import FileUnreadable, RowRefused
from integrations.files.text import Source, open_text

MAX_LINE_CHARS = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Column:
    """A column by our key, with the names under which malls write it. Optional columns may be absent."""

    key: str
    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How cells are parted. Without `quoted`, a quotation mark is a character like any other."""

    delimiter: str
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class TableFormat:
    """`encodings` and `layouts` are tried in order; the first that fits is the file's."""

    columns: tuple[Column, ...]
    encodings: tuple[str, ...]
    layouts: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column we know stands in this file, and what the file calls it."""

    places: Mapping[str, int]
    names: Mapping[str, str]
    width: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is the physical line where it begins, from 1."""

    file: str
    line: int
    cells: Sequence[str]
    header: Header

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    def has(self, key: str) -> bool:
        return key in self.header.places

    def text(self, key: str) -> str:
        """The cell without blanks around it; "" where the file has no such column."""
        place = self.header.places.get(key)
        return "" if place is None else self.cells[place].strip()

    def column(self, key: str) -> str:
        """What this file calls the column."""
        return self.header.names.get(key, key)

    def wrong_width(self) -> RowRefused | None:
        """Fewer cells than the header, or more that say something; blank cells beyond it do no harm."""
        cells, expected = len(self.cells), self.header.width
        if cells < expected:
            return RowRefused("SHORT_ROW", cells=cells, expected=expected)
        if any(cell.strip() for cell in self.cells[expected:]):
            return RowRefused("LONG_ROW", cells=cells, expected=expected)
        return None


def read_rows(source: Source, table: TableFormat) -> Iterator[Row]:
    """The rows below the header, one at a time. Raises FileUnreadable."""
    with open_text(source, table.encodings) as text:
        cells = _Cells(text, _layout_of(text, table), source.name)
        header = header_of(cells.next() or (), table.columns, source.name)
        line = cells.line
        while (row := cells.next()) is not None:
            yield Row(source.name, line, row, header)
            line = cells.line


class _Cells:
    """The rows of a file as lists of cells. `line` is where the next row begins."""

    def __init__(self, text: TextIO, layout: Layout, file: str) -> None:
        self._file = file
        self._reader = csv.reader(
            self._lines(text),
            delimiter=layout.delimiter,
            quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
            strict=True,
        )

    @property
    def line(self) -> int:
        return self._reader.line_num + 1

    def next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise FileUnreadable("BROKEN_QUOTES", file=self._file, line=self.line - 1) from error

    def _lines(self, text: TextIO) -> Iterator[str]:
        while line := text.readline(MAX_LINE_CHARS):
            if len(line) == MAX_LINE_CHARS:
                raise FileUnreadable("LINE_TOO_LONG", file=self._file, limit=MAX_LINE_CHARS)
            yield line


def header_of(cells: Sequence[str], columns: Sequence[Column], file: str) -> Header:
    """Raises FileUnreadable COLUMNS_MISSING or COLUMN_REPEATED, naming the columns as the mall writes them."""
    found = {column: _places(cells, column) for column in columns}
    missing = [column.names[0] for column, at in found.items() if column.required and not at]
    if missing:
        raise FileUnreadable("COLUMNS_MISSING", file=file, columns=", ".join(missing))
    repeated = [column.names[0] for column, at in found.items() if len(at) > 1]
    if repeated:
        raise FileUnreadable("COLUMN_REPEATED", file=file, columns=", ".join(repeated))
    places = {column.key: at[0] for column, at in found.items() if at}
    return Header(places, {key: cells[at].strip() for key, at in places.items()}, len(cells))


def _places(cells: Sequence[str], column: Column) -> list[int]:
    names = {_folded(name) for name in column.names}
    return [place for place, cell in enumerate(cells) if _folded(cell) in names]


def _folded(name: str) -> str:
    """Full-width and half-width brackets, blanks and letter case do not tell columns apart."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _layout_of(text: TextIO, table: TableFormat) -> Layout:
    """The layout under which most of our columns are found. The file is put back to its start."""
    first_line = text.readline(MAX_LINE_CHARS)
    text.seek(0)
    return max(table.layouts, key=lambda layout: _columns_found(first_line, layout, table))


def _columns_found(line: str, layout: Layout, table: TableFormat) -> int:
    cells = [cell.strip('"\r\n') for cell in line.split(layout.delimiter)]
    return sum(bool(_places(cells, column)) for column in table.columns)
