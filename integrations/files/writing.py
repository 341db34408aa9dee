"""A table as the bytes of a CSV or TSV file, CRLF at line ends as the malls write them."""

import csv
import io
from collections.abc import Iterable, Sequence

from integrations.files.problems import TextUnwritable
from integrations.files.table import Layout

GENERATED = "generated-"
"""Begins the name of every file that was written here, not downloaded from a mall."""


def table_bytes(
    header: Sequence[str], rows: Iterable[Sequence[str]], layout: Layout, encoding: str
) -> bytes:
    """Raises TextUnwritable, naming the first text that `encoding` cannot hold."""
    lines = [_line([_writable(cell, encoding) for cell in row], layout) for row in (header, *rows)]
    return "".join(lines).encode(encoding)


def _line(cells: Sequence[str], layout: Layout) -> str:
    """Unquoted cells cannot hold a delimiter or a line end: each becomes one blank."""
    if not layout.quoted:
        return layout.delimiter.join(" ".join(cell.split()) for cell in cells) + "\r\n"
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _writable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise TextUnwritable(text, text[error.start], encoding) from error
    return text


def flag_cell(value: bool | None) -> str:
    return "" if value is None else str(int(value))


def quantity_cell(value: int | None) -> str:
    return "" if value is None else str(value)
