"""セット商品 Sets: products made of counts of other products."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.fields import field

if TYPE_CHECKING:
    from api.products import Product


@strawberry.type(description="構成品: how many of a product one set takes.")
class SetPart:
    product: Annotated["Product", strawberry.lazy("api.products")] = field("The part.")
    count: int = field("How many one set takes.")
