"""出品詳細レポート (GET_MERCHANT_LISTINGS_ALL_DATA) as bytes: an unquoted TSV under English or Japanese headers (§5).

Beware the trap that is in the real file too: `数量` is quantity, `在庫数` is pending-quantity.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta, timezone

from integrations.sandbox.amazon.item_views import asin_of, channel_of, is_incomplete
from integrations.sandbox.amazon.patches import BY_AMAZON
from integrations.sandbox.ledger import Item

JST = timezone(timedelta(hours=9))
ENGLISH = (
    "item-name",
    "item-description",
    "listing-id",
    "seller-sku",
    "price",
    "quantity",
    "open-date",
    "image-url",
    "item-is-marketplace",
    "product-id-type",
    "zshop-shipping-fee",
    "item-note",
    "item-condition",
    "zshop-category1",
    "zshop-browse-path",
    "zshop-storefront-feature",
    "asin1",
    "asin2",
    "asin3",
    "will-ship-internationally",
    "expedited-shipping",
    "zshop-boldface",
    "product-id",
    "bid-for-featured-placement",
    "add-delete",
    "pending-quantity",
    "fulfillment-channel",
    "merchant-shipping-group",
    "status",
)
JAPANESE = {
    "商品名": "item-name",
    "出品ID": "listing-id",
    "出品者SKU": "seller-sku",
    "価格": "price",
    "数量": "quantity",
    "出品日": "open-date",
    "商品IDタイプ": "product-id-type",
    "コンディション説明": "item-note",
    "コンディション": "item-condition",
    "国外へ配送可": "will-ship-internationally",
    "迅速な配送": "expedited-shipping",
    "商品ID": "product-id",
    "在庫数": "pending-quantity",
    "フルフィルメント・チャンネル": "fulfillment-channel",
    "merchant-shipping-group": "merchant-shipping-group",
    "ポイント": "points",
    "ステータス": "status",
}
BREAKS = re.compile(r"[\t\r\n]+")


def tsv(items: Iterable[Item], *, japanese: bool) -> str:
    """CRLF lines; a field is never quoted, so breaks inside one become blanks."""
    names = list(JAPANESE) if japanese else list(ENGLISH)
    columns = list(JAPANESE.values()) if japanese else names
    lines = ["\t".join(names), *(_line(fields_of(item), columns) for item in items)]
    return "".join(f"{line}\r\n" for line in lines)


def _line(fields: Mapping[str, str], columns: Sequence[str]) -> str:
    return "\t".join(BREAKS.sub(" ", fields.get(name, "")) for name in columns)


def fields_of(item: Item) -> dict[str, str]:
    """By English column; what is not here is empty in the file."""
    by_amazon = channel_of(item) == BY_AMAZON
    return {
        "item-name": item.name,
        "listing-id": f"{item.created_at:%m%d}Z{asin_of(item)[1:]}",
        "seller-sku": item.item_code,
        "price": str(item.attributes.get("price", "")),
        "quantity": "" if by_amazon else str(max(item.shown, 0)),
        "open-date": f"{item.created_at.astimezone(JST):%Y/%m/%d %H:%M:%S} JST",
        "item-is-marketplace": "y",
        "product-id-type": "1",
        "item-condition": "11",
        "asin1": asin_of(item),
        "product-id": asin_of(item),
        "pending-quantity": "" if by_amazon else "0",
        "fulfillment-channel": channel_of(item),
        "merchant-shipping-group": "Migrated Template",
        "status": status_of(item),
    }


def status_of(item: Item) -> str:
    if is_incomplete(item):
        return "Incomplete"
    return "Active" if item.shown > 0 else "Inactive"
