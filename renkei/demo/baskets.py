"""Which part of the shop's real orders the demo replays.

The file is a mail-order wholesaler's: among its orders are whole days of a till, with 700 lines in one, and one of 80,995
pieces. A mall's shopper fills a basket, so the demo takes the orders of few lines and few units of each, as few as there are
enough of, and those baskets that hold one of the shop's sets; from the busiest fortnight on, with all cancellations of theirs.
"""

from collections.abc import Sequence
from pathlib import Path

import renkei
from renkei.example_shop.catalogue import FOODS_FILE, SETS, RetailProduct, catalogue_of, read_foods
from renkei.example_shop.orders import RetailOrder, busiest, read_orders
from renkei.example_shop.rows import ORDERS_FILE, read_rows
from renkei.refusal import Refusal

SIZES = ((5, 12), (5, 24), (10, 24), (20, 24), (20, 96), (1_000, 100_000))
"""Lines of an order, and units of one line, at most."""

WITH_SET = 20
BUSY_DAYS = 14
EXAMPLE_DATA = Path(renkei.__file__).resolve().parents[1] / "examples" / "data"


class Baskets:
    """`steps`: orders and cancellations in time order; `later`: the orders that follow in the file; `most_lines`: how
    many lines an order has at most. Raises Refusal when the file has fewer orders."""

    def __init__(self, count: int, data: Path = EXAMPLE_DATA) -> None:
        stream = read_orders(read_rows(data / ORDERS_FILE))
        self.most_lines, every = of_few_lines(stream.orders, count)
        chosen = choose(every, stream.orders, count)
        numbers = {order.number for order in chosen}
        self.orders = chosen
        self.later = _after(every, chosen)
        self.steps = tuple(
            order
            for order in stream.orders
            if (order.cancels is None and order.number in numbers) or order.cancels in numbers
        )
        self.catalogue: Sequence[RetailProduct] = catalogue_of(
            chosen, stream.names, read_foods(data / FOODS_FILE)
        )


def of_few_lines(stream: Sequence[RetailOrder], count: int) -> tuple[int, Sequence[RetailOrder]]:
    """The orders of the smallest size of which there are `count`. Raises Refusal."""
    orders = [order for order in stream if order.cancels is None]
    for lines, units in SIZES:
        baskets = [order for order in orders if _is_basket(order, lines, units)]
        if len(baskets) >= count:
            return lines, baskets
    raise Refusal(f"The example shop has {len(orders):,} orders: ask for fewer with --orders.")


def _is_basket(order: RetailOrder, lines: int, units: int) -> bool:
    most = max(lines, WITH_SET) if any(line.code in SETS for line in order.lines) else lines
    return len(order.lines) <= most and all(line.quantity <= units for line in order.lines)


def choose(
    every: Sequence[RetailOrder], stream: Sequence[RetailOrder], count: int
) -> tuple[RetailOrder, ...]:
    """`count` baskets in a row, from the busiest fortnight on or as late as they fit."""
    begin = busiest(stream, BUSY_DAYS)[0].placed_at
    later = (place for place, order in enumerate(every) if order.placed_at >= begin)
    first = min(next(later, 0), len(every) - count)
    return tuple(every[first : first + count])


def _after(every: Sequence[RetailOrder], chosen: Sequence[RetailOrder]) -> tuple[RetailOrder, ...]:
    first = every.index(chosen[-1]) + 1
    return tuple(every[first:])
