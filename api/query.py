"""Where reading begins."""

import strawberry

from api.account import Account, Viewer
from api.fields import argument, field, planned
from api.nodes import Node
from api.paging import paged
from api.products import Product
from api.scalars import EventCursor
from api.shops import Shop


@strawberry.type(
    description="Reading. Fields are nullable, so that one that is refused does not blank a whole screen."
)
class Query:
    node = planned(
        Node | None,
        "One node; null for what is gone or another account's.",
        {"id": argument(strawberry.ID, "Its id.")},
    )
    nodes = planned(
        list[Node | None] | None,
        "Nodes in the order of their ids; null for what is gone or another account's.",
        {"ids": argument(list[strawberry.ID], "At most 100 ids.")},
    )
    viewer: Viewer | None = field("Who is asking, and what they may do.")
    account: Account | None = field("契約: the account.")
    event_cursor: EventCursor | None = field(
        "How far this very read has seen: the same snapshot as the rest of the operation."
    )
    shops = planned(
        list[Shop] | None,
        "店舗: all shops of the account.",
        {"in_use": argument(bool | None, "Only those in use, or only the others.")},
    )
    product = planned(
        Product | None, "One product by its code.", {"code": argument(str, "Its code.")}
    )
    products = paged(Product, "商品: products and sets.")
