"""Rakuten's item file after SKU migration, `dl-normal-item_YYYYMMDDhhmmss-N.csv` (the mall's fact sheet §5).

Its columns are those the merchant chose. An item row (SKU管理番号 blank) is followed by its SKU rows, and only the
item row carries 商品番号 and 商品名; rows of choices without stock (項目選択肢) come among them, SKU管理番号 blank too.
Large downloads come in parts -1, -2, …, and a part may begin with SKU rows of the item that ended the one before.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from domain.model.mall_specs import RAKUTEN
from domain.model.malls import ItemRef, MallListing
from integrations.files.cells import code, filled, flag, quantity, required_code
from integrations.files.listing_file import ListingFile
from integrations.files.problems import FileUnreadable, RowRefused
from integrations.files.table import Column, Layout, Row, TableFormat
from integrations.files.text import Source
from integrations.files.writing import GENERATED, flag_cell, quantity_cell, table_bytes

CODE_CHARACTERS = 32
ITEM_NUMBER_CHARACTERS = 127
LINK_CODE_CHARACTERS = 96
MOST = RAKUTEN.capabilities.max_quantity
ROWS_PER_PART = 60_000
PART_NAME = re.compile(r"(?P<stem>.*)-(?P<part>[1-9][0-9]{0,3})\.csv", re.IGNORECASE)
HEADER = (
    "商品管理番号（商品URL）",
    "商品番号",
    "商品名",
    "SKU管理番号",
    "システム連携用SKU番号",
    "在庫数",
    "在庫戻しフラグ",
    "在庫切れ時の注文受付",
)

FORMAT = TableFormat(
    columns=(
        Column("manageNumber", ("商品管理番号（商品URL）",), required=True),
        Column("variantId", ("SKU管理番号",), required=True),
        Column("quantity", ("在庫数",), required=True),
        Column("itemNumber", ("商品番号",)),
        Column("name", ("商品名",)),
        Column("merchantDefinedSkuId", ("システム連携用SKU番号",)),
        Column("restockOnCancel", ("在庫戻しフラグ",)),
        Column("backOrderFlag", ("在庫切れ時の注文受付",)),
    ),
    encodings=("utf-8-sig", "cp932"),
    layouts=(Layout(","),),
)


@dataclass(slots=True)
class _Item:
    """The item row that the SKU rows below it belong to."""

    row: Row
    number: str
    has_sku: bool = False


def read(rows: Iterable[Row], found: ListingFile) -> None:
    """`rows` are those of all parts, in the order of the parts."""
    item: _Item | None = None
    for row in rows:
        number = _manage_number(row)
        if row.text("variantId"):
            _take_sku(row, item if item and item.number == number else None, found)
        elif item and item.number == number:
            found.other_rows["CHOICE"] += 1
        else:
            _refuse_without_sku(item, found)
            item = _begin_item(row, found)
    _refuse_without_sku(item, found)


def _manage_number(row: Row) -> str:
    """Rakuten folds upper case (the mall's fact sheet §2)."""
    return row.text("manageNumber").lower()


def _begin_item(row: Row, found: ListingFile) -> _Item | None:
    try:
        number = required_code(row, "manageNumber", CODE_CHARACTERS).lower()
        code(row, "itemNumber", ITEM_NUMBER_CHARACTERS)
    except RowRefused as why:
        found.refuse(row, why)
        return None
    found.other_rows["ITEM"] += 1
    return _Item(row, number)


def _refuse_without_sku(item: _Item | None, found: ListingFile) -> None:
    if item and not item.has_sku:
        found.refuse(item.row, RowRefused("ITEM_WITHOUT_SKU", item=item.number))


def _take_sku(row: Row, item: _Item | None, found: ListingFile) -> None:
    if item:
        item.has_sku = True
    found.take(row, partial(_listing, item=item))


def _listing(row: Row, item: _Item | None) -> MallListing:
    number = required_code(row, "manageNumber", CODE_CHARACTERS).lower()
    if item is None and (row.has("itemNumber") or row.has("name")):
        raise RowRefused("ITEM_ROW_MISSING", item=number)
    variant = required_code(row, "variantId", CODE_CHARACTERS)
    code(row, "merchantDefinedSkuId", LINK_CODE_CHARACTERS)
    return MallListing(
        ItemRef(number, variant),
        name=item.row.text("name") if item else "",
        keys=_keys(row, item) | {"manageNumber": number, "variantId": variant},
        quantity=quantity(row, "quantity", 0, MOST),
        mall_restocks=flag(row, "restockOnCancel"),
        fields=filled(row, "restockOnCancel", "backOrderFlag"),
    )


def _keys(row: Row, item: _Item | None) -> dict[str, str]:
    """同一商品判定キー: what the SKU row says, and what its item row says for it."""
    of_item = filled(item.row, "itemNumber") if item else {}
    return of_item | filled(row, "merchantDefinedSkuId")


def in_order(sources: Sequence[Source]) -> list[Source]:
    """The parts of a download by their numbers, whatever order they were chosen in; other files as given.

    Raises FileUnreadable PART_MISSING: the items of a missing part would look deleted.
    """
    parts: defaultdict[str, list[tuple[int, Source]]] = defaultdict(list)
    for source in sources:
        match = PART_NAME.fullmatch(source.name)
        stem, part = (match["stem"], int(match["part"])) if match else (source.name, 1)
        parts[stem].append((part, source))
    return [source for stem, numbered in parts.items() for source in _complete(stem, numbered)]


def _complete(stem: str, numbered: list[tuple[int, Source]]) -> list[Source]:
    numbers = {number for number, _ in numbered}
    missing = sorted(set(range(1, max(numbers))) - numbers)
    if missing:
        raise FileUnreadable("PART_MISSING", stem=stem, parts=", ".join(map(str, missing)))
    return [source for _, source in sorted(numbered, key=lambda part: part[0])]


def write(
    listings: Sequence[MallListing], encoding: str = "cp932", rows_per_part: int = ROWS_PER_PART
) -> list[tuple[str, bytes]]:
    """Item and SKU rows in numbered parts; listings of one item must be neighbours. Raises TextUnwritable."""
    rows = list(_rows(listings))
    parts = [rows[at : at + rows_per_part] for at in range(0, max(len(rows), 1), rows_per_part)]
    return [
        (
            f"{GENERATED}dl-normal-item-{number}.csv",
            table_bytes(HEADER, part, FORMAT.layouts[0], encoding),
        )
        for number, part in enumerate(parts, start=1)
    ]


def _rows(listings: Sequence[MallListing]) -> Iterator[tuple[str, ...]]:
    for item_code, group in groupby(listings, key=lambda listing: listing.ref.item_code):
        skus = list(group)
        yield item_code, skus[0].keys.get("itemNumber", ""), skus[0].name, "", "", "", "", ""
        yield from map(_sku_row, skus)


def _sku_row(listing: MallListing) -> tuple[str, ...]:
    return (
        listing.ref.item_code,
        "",
        "",
        listing.ref.variant_code,
        listing.keys.get("merchantDefinedSkuId", ""),
        quantity_cell(listing.quantity),
        flag_cell(listing.mall_restocks),
        listing.fields.get("backOrderFlag", ""),
    )
