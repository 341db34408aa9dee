"""The catalogue from GET_MERCHANT_LISTINGS_ALL_DATA (出品詳細レポート; the mall's fact sheet, §5).

An unquoted TSV with an English or a Japanese header, in UTF-8 or cp932, columns in any order. The quantity is `数量`;
`在庫数` is the pending quantity and is never read.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from domain.model.errors import MallMalformed
from domain.model.malls import ItemRef, MallListing

from .channels import stored_at_amazon

REPORT_TYPE = "GET_MERCHANT_LISTINGS_ALL_DATA"
ENCODINGS = ("utf-8-sig", "cp932")
EXCERPT = 200
BATCH = 500

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "商品名": "item-name",
        "出品者SKU": "seller-sku",
        "数量": "quantity",
        "ASIN 1": "asin1",
        "商品ID": "product-id",
        "フルフィルメント・チャンネル": "fulfillment-channel",
    }
)
NEEDED = frozenset({"seller-sku", "quantity", "fulfillment-channel"})
KEYS = ("seller-sku", "asin1", "product-id")

Row = Mapping[str, str]


def listings_in(report: bytes) -> Iterator[MallListing]:
    """Raises MallMalformed for a header without the columns we need, and for a row that cannot be understood."""
    if not report:
        return
    lines = io.TextIOWrapper(io.BytesIO(report), encoding=encoding_of(report), newline="\n")
    columns = columns_of(cells(next(lines, "")))
    for number, line in enumerate(lines, start=2):
        if line.strip():
            yield listing_of(number, dict(zip(columns, cells(line), strict=False)))


def encoding_of(report: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            report.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise MallMalformed("The report is neither UTF-8 nor Shift_JIS.")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.rstrip("\r\n").split("\t")]


def columns_of(header: Sequence[str]) -> list[str]:
    columns = [HEADERS.get(name, name) for name in header]
    missing = NEEDED.difference(columns)
    if missing:
        raise MallMalformed(
            f"The report has no column {', '.join(sorted(missing))}.",
            excerpt="\t".join(header)[:EXCERPT],
        )
    return columns


def listing_of(number: int, row: Row) -> MallListing:
    """Quantities of what Amazon stores itself are not ours to know. Amazon puts the units of a cancelled order back
    on the counter of what we store."""
    if not row.get("seller-sku"):
        raise MallMalformed(f"Line {number} of the report names no SKU.")
    stored = stored_at_amazon(row.get("fulfillment-channel", ""))
    return MallListing(
        ref=ItemRef(row["seller-sku"]),
        name=row.get("item-name", ""),
        keys={key: row[key] for key in KEYS if row.get(key)},
        quantity=None if stored else quantity_in(number, row),
        fulfilled_by_mall=stored,
        mall_restocks=None if stored else True,
    )


def quantity_in(number: int, row: Row) -> int | None:
    """Blank is not 0."""
    text = row.get("quantity", "")
    if not text:
        return None
    if not text.isdecimal():
        raise MallMalformed(f"Line {number} of the report has a quantity that is no number.")
    return int(text)


def batches(report: bytes) -> Iterator[list[MallListing]]:
    listings = listings_in(report)
    while batch := list(islice(listings, BATCH)):
        yield batch
