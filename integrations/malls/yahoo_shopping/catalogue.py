"""Yahoo's stock file: every code with its sub-codes, numbers and switches (the mall's fact sheet, §5).

myItemList names no sub-codes and wants a category or a search word, so the file is the one list that is whole.
It is asked for (downloadRequest), made by Yahoo, and fetched (downloadSubmit) once it is ready.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import islice

import httpx

from domain.model.malls import ItemRef, MallListing
from integrations.http import reading

from .stock import OVERDRAFT

STOCK_FILE = "2"
LISTINGS_PER_PAGE = 1000
ENCODINGS = ("utf-8-sig", "cp932")


def listings_in(response: httpx.Response) -> Iterator[list[MallListing]]:
    """Pages of the file. Raises MallMalformed for a file without its columns or with a number that is none."""
    rows = iter(_rows(response))
    while True:
        with reading(response):
            page = [listing_of(row) for row in islice(rows, LISTINGS_PER_PAGE)]
        if not page:
            return
        yield page


def _rows(response: httpx.Response) -> Iterable[Mapping[str, str]]:
    with reading(response):
        table = csv.DictReader(StringIO(_text(response.content), newline=""), restval="")
        missing = {"code", "sub-code", "quantity"} - set(table.fieldnames or ())
        if missing:
            raise LookupError(f"columns {', '.join(sorted(missing))}")
    return table


def _text(content: bytes) -> str:
    """Yahoo's files are CP932; one that reads as UTF-8 is UTF-8. Raises ValueError."""
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("the file is neither UTF-8 nor CP932")


def listing_of(row: Mapping[str, str]) -> MallListing:
    """The linking code is the sub-code, or the code of an item without variations."""
    code, sub_code, quantity = row["code"], row["sub-code"], row["quantity"]
    if not code:
        raise ValueError("a row without code")
    return MallListing(
        ItemRef(code, sub_code),
        name=row.get("name", ""),
        keys={"code": code, "sub-code": sub_code or code},
        quantity=int(quantity) if quantity else None,
        fields=_fields(row),
    )


def _fields(row: Mapping[str, str]) -> dict[str, str]:
    columns = {OVERDRAFT: "allow-overdraft", "stock_close": "stock-close"}
    return {key: row[column] for key, column in columns.items() if row.get(column)}
