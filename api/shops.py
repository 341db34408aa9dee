"""店舗 Shops: one seller account on one mall."""

import strawberry

from api.fields import field
from api.nodes import Node


@strawberry.type(description="店舗: one seller account on one mall.")
class Shop(Node):
    name: str = field("The merchant's own name for it, unique in the account.")
    in_use: bool = field("利用店舗設定: a shop not in use is neither read nor written.")
    version: int = field("Rises with every change of its settings.")
