"""A file's bytes as text: from memory or from disk, its encoding told by reading all of it in small pieces."""

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from integrations.files.problems import FileUnreadable

MAX_FILE_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 64 * 1024

# What Python's cp932 makes of the bytes 80, A0, FD, FE and FF, which stand for nothing there.
UNASSIGNED = re.compile("[\x80\uf8f0-\uf8f3]")


@dataclass(frozen=True, slots=True)
class Source:
    """A file by the name its owner gave it, and where its bytes are."""

    name: str
    content: bytes | Path

    def open(self) -> BinaryIO:
        if isinstance(self.content, Path):
            return self.content.open("rb")
        return io.BytesIO(self.content)

    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)


def open_text(source: Source, encodings: Sequence[str]) -> TextIO:
    """The file decoded, line ends untouched, a byte order mark taken off. Raises FileUnreadable."""
    encoding = encoding_of(source, encodings)
    return io.TextIOWrapper(source.open(), encoding=encoding, newline="")


def encoding_of(source: Source, encodings: Sequence[str]) -> str:
    """The first of `encodings` that reads every byte of the file.

    Raises FileUnreadable: EMPTY, TOO_LARGE, NOT_TEXT (NUL bytes: workbooks, archives, images, UTF-16), ENCODING.
    """
    _refuse_by_size(source)
    possible = {name: codecs.getincrementaldecoder(name)() for name in encodings}
    for chunk, last in _chunks(source):
        if b"\0" in chunk:
            raise FileUnreadable("NOT_TEXT", file=source.name)
        for name in [name for name in possible if not _decodes(possible[name], chunk, last)]:
            del possible[name]
    if not possible:
        raise FileUnreadable("ENCODING", file=source.name, encodings=", ".join(encodings))
    return next(iter(possible))


def _refuse_by_size(source: Source) -> None:
    size = source.size()
    if size == 0:
        raise FileUnreadable("EMPTY", file=source.name)
    if size > MAX_FILE_BYTES:
        raise FileUnreadable("TOO_LARGE", file=source.name, limit=MAX_FILE_BYTES)


def _chunks(source: Source) -> Iterator[tuple[bytes, bool]]:
    with source.open() as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk, False
    yield b"", True


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, last: bool) -> bool:
    try:
        return not UNASSIGNED.search(decoder.decode(chunk, last))
    except UnicodeDecodeError:
        return False
