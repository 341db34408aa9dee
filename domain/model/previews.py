"""What a reflect, a switch or a bulk change would do to the malls, before it is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class ShopPreview:
    """In listings of one shop. `held`: not sent, or by then still not. `never_counted`: of those to zero, the ones that go
    there only because nobody has entered stock yet. `biggest_rise`, `biggest_fall`: in units.

    `orders_off`: numbers go out while its orders are not read. `orders_since`: its orders are read from then on.
    """

    shop_id: UUID
    listings: int = 0
    held: int = 0
    changed: int = 0
    to_zero: int = 0
    never_counted: int = 0
    rising: int = 0
    falling: int = 0
    biggest_rise: int = 0
    biggest_fall: int = 0
    orders_off: bool = False
    orders_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One listing. `shown` None: unknown; `to_show` None: nothing of ours decides it any more."""

    listing_id: UUID
    shown: int | None
    to_show: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`sample`: the listings whose number changes most, at most MOST_LINES; what goes to zero first."""

    shops: tuple[ShopPreview, ...] = ()
    sample: tuple[PreviewLine, ...] = ()

    def count(self, of: Callable[[ShopPreview], int]) -> int:
        """Over all shops."""
        return sum(map(of, self.shops))

    def beside(self, other: "Preview") -> "Preview":
        """With what happens to others by the way; these are not among the `listings` that are meant."""
        others = {each.shop_id: each for each in other.shops}
        shops = tuple(_together(each, others.get(each.shop_id)) for each in self.shops)
        return Preview(shops, (*other.sample, *self.sample)[:MOST_LINES])

    def most(self, of: Callable[[ShopPreview], int]) -> int:
        return max(map(of, self.shops), default=0)


def _together(shop: ShopPreview, other: ShopPreview | None) -> ShopPreview:
    if other is None:
        return shop
    sums = ("changed", "to_zero", "never_counted", "rising", "falling")
    most = ("biggest_rise", "biggest_fall", "orders_off")
    return replace(
        shop,
        **{name: getattr(shop, name) + getattr(other, name) for name in sums},
        **{name: max(getattr(shop, name), getattr(other, name)) for name in most},
    )
