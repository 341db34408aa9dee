"""商品 Products: what the merchant holds, counted per SKU."""

import strawberry

from api.fields import field
from api.listings import Listing
from api.nodes import Node


@strawberry.type(description="商品: what the merchant holds, by master code.")
class Product(Node):
    code: str = field("マスターコード: the merchant's own code, unique in the account.")
    name: str = field("商品名.")
    total: int | None = field(
        "総在庫数: units not yet sold; below 0 when oversold. Null for a set."
    )
    listings: list[Listing] = field("Its listings, by shop.")
    version: int = field("Rises with every change of it.")
