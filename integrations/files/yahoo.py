"""Yahoo! Shopping's stock download (the mall's fact sheet §5): one row a SKU, `sub-code` blank where an item has none.

An unknown code is no error at this mall, so a code that was changed on the way here would never be missed there.
"""

from collections.abc import Iterable, Sequence

from domain.model.mall_specs import YAHOO_SHOPPING
from domain.model.malls import ItemRef, MallListing
from integrations.files.cells import code, filled, quantity, required_code
from integrations.files.listing_file import ListingFile
from integrations.files.table import Column, Layout, Row, TableFormat
from integrations.files.writing import GENERATED, quantity_cell, table_bytes

CODE_CHARACTERS = 99
MOST = YAHOO_SHOPPING.capabilities.max_quantity
HEADER = ("code", "name", "sub-code", "quantity", "allow-overdraft", "stock-close")

# EUC-JP is asked before cp932: nearly all Japanese text in cp932 is broken EUC-JP, but not the other way round.
# What passes as both is a file with half-width kana and no other Japanese; this mall takes no half-width kana.
FORMAT = TableFormat(
    columns=(
        Column("code", ("code",), required=True),
        Column("sub-code", ("sub-code",), required=True),
        Column("quantity", ("quantity",), required=True),
        Column("name", ("name",)),
        Column("allow_overdraft", ("allow-overdraft",)),
        Column("stock_close", ("stock-close",)),
    ),
    encodings=("utf-8-sig", "euc-jp", "cp932"),
    layouts=(Layout(","),),
)


def read(rows: Iterable[Row], found: ListingFile) -> None:
    for row in rows:
        found.take(row, _listing)


def _listing(row: Row) -> MallListing:
    item = required_code(row, "code", CODE_CHARACTERS)
    sub_code = code(row, "sub-code", CODE_CHARACTERS)
    return MallListing(
        ItemRef(item, sub_code),
        name=row.text("name"),
        keys={"sub-code": sub_code or item, "code": item},
        quantity=quantity(row, "quantity", -MOST, MOST),
        fields=filled(row, "allow_overdraft", "stock_close"),
    )


def write(listings: Sequence[MallListing], encoding: str = "cp932") -> list[tuple[str, bytes]]:
    """The stock download with names. Raises TextUnwritable."""
    content = table_bytes(HEADER, map(_cells, listings), FORMAT.layouts[0], encoding)
    return [(f"{GENERATED}quantity.csv", content)]


def _cells(listing: MallListing) -> tuple[str, ...]:
    return (
        listing.ref.item_code,
        listing.name,
        listing.ref.variant_code,
        quantity_cell(listing.quantity),
        listing.fields.get("allow_overdraft", ""),
        listing.fields.get("stock_close", ""),
    )
