"""在庫変動 The ledger: why each total is what it is."""

from datetime import datetime

import strawberry

from api.actors import Actor
from api.fields import described, field
from api.nodes import Node
from api.orders import Order
from api.products import Product
from domain.model.stock import Cause

described(
    Cause,
    "Why a total moved.",
    name="MovementCause",
    ORDER="受注: an order took it.",
    CANCEL="キャンセル: an order gave it back.",
    SET_BY_HAND="A person set the total.",
    ADJUSTED="A person adjusted it.",
    COUNTED="棚卸: it was counted.",
    IMPORT="A file set it.",
    MALL_EDIT_TAKEN="A change made at a mall was taken.",
)


@strawberry.type(description="在庫変動: one line of the append-only ledger.")
class StockMovement(Node):
    product: Product = field("Whose total moved.")
    cause: Cause = field("Why.")
    reason: str | None = field("What was said of it.")
    change: int = field("By how much; below 0: less.")
    balance: int = field("The total after it.")
    at: datetime = field("When it was recorded.")
    effective_at: datetime = field("As of when it counts: an order when it was placed.")
    actor: Actor | None = field("Who; null: an order.")
    order: Order | None = field("The order that it came of.")
