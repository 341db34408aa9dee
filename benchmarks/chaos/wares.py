"""What is sold and to whom: the example shop's best sellers and its sets, and a slice of its real orders."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from renkei.demo.baskets import EXAMPLE_DATA, of_few_lines
from renkei.example_shop.catalogue import (
    FOODS_FILE,
    SETS,
    RetailProduct,
    catalogue_of,
    read_foods,
)
from renkei.example_shop.orders import OrderStream, RetailOrder, read_orders
from renkei.example_shop.rows import ORDERS_FILE, read_rows

QUIET = 6
CHOICE = 2
"""So many times the orders that are taken lie there for a seed to choose from; some have none of the best sellers."""

STOCKED = 0.9
"""The share of what is asked for that is there: enough to go on selling, too little for all."""


@dataclass(frozen=True, slots=True)
class Wares:
    """`goods`: all that is listed; `steps`: orders and cancellations in time order; `quiet`: codes that no step names."""

    goods: Sequence[RetailProduct]
    steps: Sequence[RetailOrder]
    quiet: Sequence[str]

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.goods]

    @property
    def counted(self) -> list[str]:
        """Codes that shoppers ask for and that have a stock of their own."""
        quiet = set(self.quiet)
        return [each.code for each in self.goods if not each.parts and each.code not in quiet]


def chosen(seed: int, orders: int, products: int) -> Wares:
    """A slice of the stream that the seed chooses; of its orders the lines with one of the best sellers."""
    stream = read_orders(read_rows(EXAMPLE_DATA / ORDERS_FILE))
    every = list(of_few_lines(stream.orders, orders * CHOICE)[1])
    most, rest = _best(every, products)
    kept = [order for order in (_lines_of(order, most) for order in every) if order.lines]
    first = random.Random(f"orders {seed}").randrange(max(1, len(kept) - orders))  # noqa: S311
    slice_ = kept[first : first + orders]
    steps = _with_cancels(stream, slice_, most)
    return Wares(_goods(stream, slice_, rest), steps, rest)


def _best(orders: Sequence[RetailOrder], products: int) -> tuple[set[str], Sequence[str]]:
    """The most wanted codes with every set and its parts; and a few codes after them, for nobody."""
    wanted = Counter(line.code for order in orders for line in order.lines)
    ranked = [code for code, _ in sorted(wanted.items(), key=lambda each: (-each[1], each[0]))]
    sets = {code for code in SETS if code in wanted}
    parts = {part for code in sets for part in SETS[code]}
    best = set(ranked[:products]) | sets | parts
    return best, [code for code in ranked if code not in best][:QUIET]


def _lines_of(order: RetailOrder, codes: set[str]) -> RetailOrder:
    return replace(order, lines=tuple(line for line in order.lines if line.code in codes))


def _with_cancels(
    stream: OrderStream, orders: Sequence[RetailOrder], codes: set[str]
) -> list[RetailOrder]:
    mine = {order.number: order for order in orders}
    steps: list[RetailOrder] = []
    for each in stream.orders:
        if each.cancels is None and each.number in mine:
            steps.append(mine[each.number])
        elif each.cancels in mine and (cut := _lines_of(each, codes)).lines:
            steps.append(cut)
    return steps


def _goods(
    stream: OrderStream, orders: Sequence[RetailOrder], quiet: Sequence[str]
) -> list[RetailProduct]:
    goods = catalogue_of(orders, stream.names, read_foods(EXAMPLE_DATA / FOODS_FILE))
    stocked = [
        each if each.parts else replace(each, starting_stock=ceil(each.demand * STOCKED))
        for each in goods
    ]
    return stocked + [RetailProduct(code, stream.names[code], code, 0, 20, {}) for code in quiet]
