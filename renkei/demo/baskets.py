"""Which part of the shop's real orders the demo replays.

The file is a mail-order wholesaler's: among its orders are whole days of a till, with 700 lines in one. A mall's shopper
fills a basket, so the demo takes the orders of at most MOST_LINES lines, from the busiest fortnight on, with all
cancellations of theirs.
"""

from collections.abc import Sequence
from pathlib import Path

import renkei
from renkei.example_shop.catalogue import FOODS_FILE, RetailProduct, catalogue_of, read_foods
from renkei.example_shop.orders import RetailOrder, busiest, read_orders
from renkei.example_shop.rows import ORDERS_FILE, read_rows
from renkei.refusal import Refusal

MOST_LINES = 20
BUSY_DAYS = 14
EXAMPLE_DATA = Path(renkei.__file__).resolve().parents[1] / "examples" / "data"


class Baskets:
    """`steps`: orders and cancellations in time order; `later`: the orders that follow in the file."""

    def __init__(self, count: int, data: Path = EXAMPLE_DATA) -> None:
        stream = read_orders(read_rows(data / ORDERS_FILE))
        every = [order for order in stream.orders if _is_basket(order)]
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


def choose(
    every: Sequence[RetailOrder], stream: Sequence[RetailOrder], count: int
) -> tuple[RetailOrder, ...]:
    """`count` baskets in a row, from the busiest fortnight on or as late as they fit. Raises Refusal."""
    if count > len(every):
        raise Refusal(
            f"The example shop has {len(every)} orders of at most {MOST_LINES} lines:"
            " ask for fewer with --orders."
        )
    begin = busiest(stream, BUSY_DAYS)[0].placed_at
    first = next(place for place, order in enumerate(every) if order.placed_at >= begin)
    first = min(first, len(every) - count)
    return tuple(every[first : first + count])


def _is_basket(order: RetailOrder) -> bool:
    return order.cancels is None and len(order.lines) <= MOST_LINES


def _after(every: Sequence[RetailOrder], chosen: Sequence[RetailOrder]) -> tuple[RetailOrder, ...]:
    first = every.index(chosen[-1]) + 1
    return tuple(every[first:])
