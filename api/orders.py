"""受注 Orders: what the malls sold, and what became of each line here."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.enums import OrderSource
from api.fields import described, field, optional
from api.listings import Listing, Push
from api.nodes import Node
from api.products import Product
from api.shops import Shop
from domain.model.malls import OrderStatus
from domain.model.orders import AllocationState
from domain.model.reflect import PushState

if TYPE_CHECKING:
    from api.stock import StockMovement

described(
    OrderStatus,
    "What an order does to the mall's stock.",
    HOLDS="It holds stock: unpaid and pending ones too.",
    SHIPPED="It was shipped.",
    RELEASED="It was cancelled.",
)
described(
    AllocationState,
    "引当: what became of an order line here.",
    APPLIED="It was taken off the total.",
    RELEASED="It was cancelled.",
    BASELINE="It was there before the shop began: it takes nothing.",
    COUNTED_BEFORE="A count had taken it off already.",
    UNLINKED="Its listing belongs to no product: it takes nothing yet.",
    FULFILLED_BY_MALL="The mall fulfils it from its own stock.",
)


@strawberry.type(
    description="One listing of another shop, and when it showed what an order line took."
)
class ReachedShop:
    shop: Shop = field("The other shop.")
    listing: Listing = field("Its listing.")
    push: Push | None = field("The listing's push as it is by now; null: there never was one.")
    state: PushState | None = field(
        "What became of the number that was sent because of the line: null while none was sent, where the line changed "
        "nothing that is shown, and once the attempt is forgotten (a week)."
    )
    quantity: int | None = field("The number that was sent.")
    sent_at: datetime | None = field("When it was sent.")
    shown_at: datetime | None = field("When the mall was known to show it.")
    seconds: float | None = field("From when the line was taken here until the mall showed it.")


@strawberry.type(description="受注明細: a line of an order.")
class OrderLine(Node):
    order: Annotated["Order", strawberry.lazy("api.orders")] = field("Whose line it is.")
    listing: Listing | None = field("What was sold; null: not known here.")
    product: Product | None = field("The product that the listing belongs to now.")
    mall_code: str = field("The mall's code of what was sold.")
    quantity: int = field("Units.")
    state: AllocationState = field("What became of it.")
    movements: list[Annotated["StockMovement", strawberry.lazy("api.stock")]] = field(
        "What its order did to the totals of what it sold, oldest first; lines of one product count together."
    )
    reached: list[ReachedShop] = field(
        "Order → every other mall: each listing of another shop whose number follows from what it took, sets among "
        "them."
    )


@strawberry.type(description="受注: the newest fact about an order.")
class Order(Node):
    shop: Shop = field("Where it was placed.")
    number: str = field("注文番号: the mall's.")
    placed_at: datetime = field("When it was placed, by the mall's clock.")
    fetched_at: datetime = field("When it was read first.")
    status: OrderStatus = field("What it does to the mall's stock.")
    baseline: bool = field("It was there before the shop began.")
    source: OrderSource = field("How it came in.")
    lines: list[OrderLine] = field("Its lines.")
    movements: list[Annotated["StockMovement", strawberry.lazy("api.stock")]] = field(
        "What it did to totals, oldest first."
    )


@strawberry.input(description="Which orders.")
class OrderFilter:
    shop_ids: list[strawberry.ID] | None = optional("Of these shops.")
    numbers: list[str] | None = optional("With one of these numbers.")
    states: list[AllocationState] | None = optional("With a line in one of these states.")
    product_ids: list[strawberry.ID] | None = optional("That took one of these products.")
    from_: datetime | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="Placed at or after."
    )
    until: datetime | None = optional("Placed before.")
