"""A shop's item and stock files read into listings, and the same formats written: one format a mall."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from domain.model.malls import MallKind, MallListing
from integrations.files import amazon, rakuten, yahoo
from integrations.files.listing_file import ListingFile
from integrations.files.problems import FileUnreadable
from integrations.files.table import Row, TableFormat, read_rows
from integrations.files.text import Source


@dataclass(frozen=True, slots=True)
class ListingFormat:
    table: TableFormat
    read: Callable[[Iterable[Row], ListingFile], None]
    write: Callable[[Sequence[MallListing]], list[tuple[str, bytes]]]
    in_order: Callable[[Sequence[Source]], Sequence[Source]] = tuple


FORMATS: Mapping[MallKind, ListingFormat] = MappingProxyType(
    {
        MallKind.RAKUTEN: ListingFormat(
            rakuten.FORMAT, rakuten.read, rakuten.write, rakuten.in_order
        ),
        MallKind.YAHOO_SHOPPING: ListingFormat(yahoo.FORMAT, yahoo.read, yahoo.write),
        MallKind.AMAZON: ListingFormat(amazon.FORMAT, amazon.read, amazon.write),
    }
)


def read_listings(kind: MallKind, files: Sequence[tuple[str, bytes | Path]]) -> ListingFile:
    """All files of one download, by name and content. Good rows are taken, the others are `errors` beside them.

    Raises FileUnreadable when a file as a whole cannot be taken: no partial answer then.
    """
    if not files:
        raise FileUnreadable("NO_FILE")
    mall = FORMATS[kind]
    sources = mall.in_order([Source(name, content) for name, content in files])
    found = ListingFile()
    mall.read(found.whole(_rows(sources, mall.table)), found)
    return found


def write_listings(kind: MallKind, listings: Sequence[MallListing]) -> list[tuple[str, bytes]]:
    """Names and bytes of the files the mall would give for these listings, names marked as generated.

    Raises TextUnwritable. Encodings and headers other than the usual are asked of the format's own `write`.
    """
    return FORMATS[kind].write(listings)


def _rows(sources: Sequence[Source], table: TableFormat) -> Iterator[Row]:
    for source in sources:
        yield from read_rows(source, table)
