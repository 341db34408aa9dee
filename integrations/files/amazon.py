"""Amazon's 出品詳細レポート (GET_MERCHANT_LISTINGS_ALL_DATA), Japanese or English header (the mall's fact sheet §5).

Tab-separated without quoting; a report re-saved as CSV is read too. 数量 is the quantity. 在庫数 is *not*: it is
pending-quantity, and is never read. A listing that Amazon ships (AMAZON_JP) has no quantity of ours and must never
be written, so a report that does not name the channel is refused. Of its own channel Amazon puts units back when an
order is cancelled before shipment (§4).
"""

from collections.abc import Iterable, Sequence

from domain.model.mall_specs import AMAZON
from domain.model.malls import ItemRef, MallListing
from integrations.files.cells import filled, quantity, required_code
from integrations.files.listing_file import ListingFile
from integrations.files.problems import RowRefused
from integrations.files.table import Column, Layout, Row, TableFormat
from integrations.files.writing import GENERATED, quantity_cell, table_bytes

SKU_CHARACTERS = 40
MOST = AMAZON.capabilities.max_quantity
OWN_CHANNEL = "DEFAULT"
FBA_CHANNEL = "AMAZON_JP"

FORMAT = TableFormat(
    columns=(
        Column("seller-sku", ("出品者SKU", "seller-sku"), required=True),
        Column("quantity", ("数量", "quantity"), required=True),
        Column(
            "fulfillment-channel",
            ("フルフィルメント・チャンネル", "fulfillment-channel"),
            required=True,
        ),
        Column("name", ("商品名", "item-name")),
        Column("asin1", ("ASIN 1", "asin1")),
        Column("product-id", ("商品ID", "product-id")),
        Column("status", ("ステータス", "status")),
    ),
    encodings=("utf-8-sig", "cp932"),
    layouts=(Layout("\t", quoted=False), Layout(",")),
)

# The report's columns as we write them: Japanese name, English name.
WRITTEN = (
    ("商品名", "item-name"),
    ("出品ID", "listing-id"),
    ("出品者SKU", "seller-sku"),
    ("価格", "price"),
    ("数量", "quantity"),
    ("出品日", "open-date"),
    ("商品IDタイプ", "product-id-type"),
    ("コンディション説明", "item-note"),
    ("コンディション", "item-condition"),
    ("国外へ配送可", "will-ship-internationally"),
    ("迅速な配送", "expedited-shipping"),
    ("商品ID", "product-id"),
    ("在庫数", "pending-quantity"),
    ("フルフィルメント・チャンネル", "fulfillment-channel"),
    ("ポイント", "standard-price-point"),
)
JAPANESE_HEADER = tuple(japanese for japanese, _ in WRITTEN)
ENGLISH_HEADER = tuple(english for _, english in WRITTEN)


def read(rows: Iterable[Row], found: ListingFile) -> None:
    for row in rows:
        found.take(row, _listing)


def _listing(row: Row) -> MallListing:
    sku = required_code(row, "seller-sku", SKU_CHARACTERS)
    fba = _shipped_by_amazon(row)
    return MallListing(
        ItemRef(sku),
        name=row.text("name"),
        keys={"seller-sku": sku} | filled(row, "asin1", "product-id"),
        quantity=None if fba else quantity(row, "quantity", 0, MOST),
        fulfilled_by_mall=fba,
        mall_restocks=None if fba else True,
        fields=filled(row, "status"),
    )


def _shipped_by_amazon(row: Row) -> bool:
    channel = row.text("fulfillment-channel")
    if channel != OWN_CHANNEL and not channel.startswith("AMAZON_"):
        raise RowRefused("CHANNEL_UNKNOWN", row.column("fulfillment-channel"), value=channel)
    return channel != OWN_CHANNEL


def write(
    listings: Sequence[MallListing],
    encoding: str = "cp932",
    header: Sequence[str] = JAPANESE_HEADER,
) -> list[tuple[str, bytes]]:
    """The report under JAPANESE_HEADER or ENGLISH_HEADER. Raises TextUnwritable."""
    rows = ([_cells(listing).get(name, "") for name in ENGLISH_HEADER] for listing in listings)
    content = table_bytes(header, rows, FORMAT.layouts[0], encoding)
    return [(f"{GENERATED}listings-report.txt", content)]


def _cells(listing: MallListing) -> dict[str, str]:
    return {
        "item-name": listing.name,
        "seller-sku": listing.ref.item_code,
        "quantity": quantity_cell(listing.quantity),
        "product-id": listing.keys.get("product-id", ""),
        "fulfillment-channel": FBA_CHANNEL if listing.fulfilled_by_mall else OWN_CHANNEL,
    }
