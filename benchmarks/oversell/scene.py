"""Who buys what, where and when: the real orders of the shop's busiest days, dealt to five shops.

Orders, times (to the minute), products and units are the file's. Ours: at which shop an order is placed and at which second of
its minute, both by the seed; that sets are products of their own; and that cancellations are left out, since what counts is
how much of what was held the malls sold.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from domain.model.malls import MallKind
from renkei.demo.baskets import EXAMPLE_DATA
from renkei.example_shop.orders import RetailOrder, busiest, read_orders
from renkei.example_shop.rows import ORDERS_FILE, read_rows

HELD_PERCENT = 60
DAY = 86_400.0
MINUTE = 60.0
BEFORE_THE_FIRST = timedelta(minutes=15)
"""The shops are open for so long before their first order: all is quiet by then."""

SHARES: Mapping[str, tuple[MallKind, int]] = MappingProxyType(
    {
        "rakuten-1": (MallKind.RAKUTEN, 25),
        "rakuten-2": (MallKind.RAKUTEN, 10),
        "yahoo-1": (MallKind.YAHOO_SHOPPING, 20),
        "yahoo-2": (MallKind.YAHOO_SHOPPING, 10),
        "amazon": (MallKind.AMAZON, 35),
    }
)
"""Every shop's mall, and how many of a hundred orders are placed there."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one shopper wants to buy. `at`: seconds from the beginning of the scene."""

    at: float
    shop: str
    invoice: str
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """`held`: what there is of each product at the beginning. `wishes` in the order of their times. `begins`: at what time
    of the first day, in seconds from its midnight."""

    held: Mapping[str, int]
    wishes: tuple[Wish, ...]
    begins: float

    @property
    def units(self) -> int:
        return sum(sum(wish.units.values()) for wish in self.wishes)

    @property
    def days(self) -> int:
        return int((self.begins + self.wishes[-1].at) // DAY) + 1


def scene(*, days: int, products: int | None, seed: int, orders: int | None = None) -> Scene:
    """Of the `days` busiest days on end, the `products` that the most orders ask for (None: every one); the first
    `orders` of what is left."""
    every = _window(days)
    chosen = _most_asked_for(every, products)
    begin = every[0].placed_at - BEFORE_THE_FIRST
    dice = random.Random(seed)  # noqa: S311  repeats with the seed, and guards nothing
    wishes = [_wish(order, begin, chosen, dice) for order in every]
    kept = sorted((each for each in wishes if each.units), key=lambda wish: wish.at)[:orders]
    asked: Counter[str] = Counter()
    for wish in kept:
        asked.update(wish.units)
    held = {code: -(-units * HELD_PERCENT // 100) for code, units in sorted(asked.items())}
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    return Scene(held, tuple(kept), (begin - midnight).total_seconds())


def _window(days: int) -> Sequence[RetailOrder]:
    stream = read_orders(read_rows(EXAMPLE_DATA / ORDERS_FILE))
    return [order for order in busiest(stream.orders, days) if order.cancels is None]


def _most_asked_for(orders: Sequence[RetailOrder], products: int | None) -> frozenset[str]:
    asked = Counter(code for order in orders for code in {line.code for line in order.lines})
    return frozenset(sorted(asked, key=lambda code: (-asked[code], code))[:products])


def _wish(order: RetailOrder, begin: datetime, chosen: frozenset[str], dice: random.Random) -> Wish:
    """The dice are thrown for every order, so that choosing other products deals it to the same shop."""
    at = (order.placed_at - begin).total_seconds() + dice.random() * MINUTE
    (shop,) = dice.choices(list(SHARES), [share for _, share in SHARES.values()])
    units: Counter[str] = Counter()
    for line in order.lines:
        if line.code in chosen:
            units[line.code] += line.quantity
    return Wish(at, shop, order.number, units)
