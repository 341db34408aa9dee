"""別品番紐づけ The table in which shops' own codes stand for products' codes."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.fields import field
from api.nodes import Node
from api.shops import Shop

if TYPE_CHECKING:
    from api.products import Product


@strawberry.type(
    description="別品番紐づけ: in this shop this code stands for that product. Imports link by it before they link by "
    "equal code."
)
class CodeMapping(Node):
    shop: Shop = field("The shop whose code it is.")
    mall_code: str = field("The value of the shop's same-product key.")
    product_code: str = field("マスターコード: the product's code.")
    product: Annotated["Product", strawberry.lazy("api.products")] | None = field(
        "The product of that code; null: there is none yet."
    )
