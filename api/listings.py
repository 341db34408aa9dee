"""出品・販売データ Listings: one SKU as one shop shows it."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.fields import field
from api.nodes import Node
from api.shops import Shop

if TYPE_CHECKING:
    from api.products import Product


@strawberry.type(description="出品・販売データ: one SKU as one shop shows it.")
class Listing(Node):
    shop: Shop = field("Whose page it is.")
    product: Annotated["Product", strawberry.lazy("api.products")] | None = field(
        "What it is linked to (紐づけ); null while unlinked."
    )
    item_code: str = field("The mall's code of the page.")
    variant_code: str | None = field(
        "The mall's code of the variant; null where the page has none."
    )
    sync: bool = field("連携: the tick that lets its number be pushed.")
    minimum: int | None = field("At or below this many sellable units, 0 is shown.")
    maximum: int | None = field("Never more than this is shown.")
    quantity_to_show: int | None = field("反映数: what it should read.")
    version: int = field("Rises with every change of it.")
