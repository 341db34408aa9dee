"""商品 Products: what the merchant holds, counted per SKU."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.enums import OrderDirection, ProductKind, ProductOrderField
from api.exposures import DAYS, Exposure
from api.fields import argument, field, optional, planned
from api.listings import Listing, ListingFilter
from api.nodes import Node
from api.paging import paged
from api.sets import SetPart

if TYPE_CHECKING:
    from api.stock import StockMovement
    from api.sync_errors import SyncError


@strawberry.type(description="属性: a name and a value, such as a colour.")
class ProductAttribute:
    name: str = field("属性名.")
    value: str = field("Its value.")


@strawberry.type(description="確保在庫グループ: products that share a reserve.")
class ProductGroup(Node):
    name: str = field("Its name, unique in the account.")
    reserve: int = field("確保在庫: units of each of its products that malls are never offered.")
    product_count: int = field("Products in it.")
    version: int = field("Rises with every change of it.")


@strawberry.type(description="商品: what the merchant holds, by master code. Sets among them.")
class Product(Node):
    code: str = field("マスターコード: the merchant's own code, unique in the account.")
    name: str = field("商品名.")
    attributes: list[ProductAttribute] = field("属性, by name.")
    image_url: str | None = field("Its image.")
    kind: ProductKind = field("単品 or セット商品.")
    managed: bool = field("在庫管理する: its stock is kept and sent.")
    total: int | None = field(
        "総在庫数: units not yet sold; below 0 when oversold. Null for a set, which has none of its own."
    )
    reserve: int = field("確保在庫: its own number, else its group's, else 0.")
    sellable: int | None = field(
        "販売可能数: total less reserve; of a set what its managed parts allow, null where none does."
    )
    group: ProductGroup | None = field("確保在庫グループ: at most one.")
    unreflected: bool = field("未反映: edited, and not sent yet.")
    parts: list[SetPart] = field("構成品: what a set is made of; empty for others.")
    part_of: list[Annotated["Product", strawberry.lazy("api.products")]] = field(
        "Sets that hold it, by code."
    )
    listings = planned(
        list[Listing],
        "Its listings, by shop: at most one a shop, and copy pages.",
        {"shop_ids": argument(list[strawberry.ID] | None, "Only of these shops.")},
    )
    open_errors: list[Annotated["SyncError", strawberry.lazy("api.sync_errors")]] = field(
        "Open errors that concern its listings, newest first."
    )
    movements = paged(
        Annotated["StockMovement", strawberry.lazy("api.stock")],
        "在庫変動: its ledger, newest first.",
    )
    exposure = planned(
        Exposure, "超過表示: for how long malls showed more of it than was left.", DAYS, cost=5
    )
    version: int = field("Rises with every change of what it is; stock does not count.")
    updated_at: datetime = field("The last change, stock included.")


@strawberry.input(description="Limits of a number; all that are given hold.")
class IntRange:
    eq: int | None = optional("Exactly.")
    gte: int | None = optional("At least.")
    lte: int | None = optional("At most.")


@strawberry.input(description="Which products. All that is given holds.")
class ProductFilter:
    text: str | None = optional(
        "Words parted by , ， or 、: each is in the code or the name of the product or of one of its listings "
        "(of the shops in `listing`, when it names some)."
    )
    kind: ProductKind | None = optional("Sets, or what is none.")
    total: IntRange | None = optional("総在庫数.")
    sellable: IntRange | None = optional("販売可能数.")
    managed: bool | None = optional("在庫管理.")
    group_ids: list[strawberry.ID] | None = optional("In one of these groups.")
    unreflected: bool | None = optional("未反映.")
    listing: ListingFilter | None = optional("Some listing of it meets all of this at once.")
    missing_in_shop_ids: list[strawberry.ID] | None = optional(
        "Without a listing in any of these shops."
    )


@strawberry.input(description="How products are sorted.")
class ProductOrder:
    field: ProductOrderField = strawberry.field(description="By what.")
    direction: OrderDirection = strawberry.field(description="Which way.")
