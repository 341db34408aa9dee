"""超過表示 For how long malls showed more of a product than was left."""

from datetime import datetime

import strawberry

from api.fields import argument, field
from api.shops import Shop

DAYS = {
    "days": argument(
        int, "Of so many days, today among them, by the account's time zone: 1 to 366.", 30
    )
}

LONGEST = "The longest that ended in these days, whole, on whichever day it began."


@strawberry.type(
    description="超過表示: for how long one shop showed more of a product than was left. The times of several listings "
    "are added up."
)
class ShopExposure:
    shop: Shop = field("The shop.")
    seconds: float = field("How long, of the times that are over.")
    longest_seconds: float = field(LONGEST)
    times: int = field("How often.")
    since: datetime | None = field("Since when it does so now; null: it does not.")


@strawberry.type(
    description="超過表示: for how long malls showed more of a product than was left, and could have sold what nobody had. "
    "It begins with an order, at its mall's time of it, or with whatever else made the total smaller; it ends when the "
    "mall is known to show no more than is left, or when nobody knows any more what it shows. What is kept back by a "
    "reserve, a minimum or a maximum is left all the same. Where reflect is off, nothing is counted."
)
class Exposure:
    seconds: float = field(
        "How long, of the times that are over; those of several shops are added up."
    )
    longest_seconds: float = field(LONGEST)
    times: int = field("How often.")
    since: datetime | None = field("Since when some mall does so now; null: none does.")
    by_shop: list[ShopExposure] = field("The same by shop; those that never did are left out.")
