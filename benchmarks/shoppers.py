"""Real orders of the example shop, placed at the shops of a market at a steady pace."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import cycle, islice
from uuid import UUID

from benchmarks.market import MallShop
from renkei.demo.baskets import Baskets
from renkei.demo.latency import OrderAt
from renkei.demo.replay import basket
from renkei.demo.stalls import SoldOut, ref_at
from renkei.example_shop.catalogue import RetailProduct
from renkei.example_shop.orders import RetailOrder, shop_of

PLENTY = 90_000
HANDS = 8
"""Shoppers who order at the same time: more would have the malls serve shoppers, not us."""


@dataclass(slots=True)
class Placed:
    """`visible`: when each order entered its mall's list. `late`: by how many seconds the latest shopper came late."""

    visible: dict[OrderAt, datetime] = field(default_factory=dict)
    lines: int = 0
    refused: int = 0
    late: float = 0.0


def orders_of(baskets: Baskets, count: int) -> Iterator[RetailOrder]:
    """`count` orders: the baskets in their order, and again from the first."""
    return islice(cycle(baskets.orders), count)


def in_plenty(goods: Sequence[RetailProduct]) -> list[RetailProduct]:
    """So many of each that none is ever sold out, so that every order changes every number."""
    return [replace(each, starting_stock=PLENTY) for each in goods]


async def shop(
    shops: Sequence[MallShop], orders: Iterator[RetailOrder], per_second: float
) -> Placed:
    """Each at the shop its number says. A mall that has too little of a line is left without it."""
    placed = Placed()
    clock = asyncio.get_running_loop()
    begun = clock.time()
    due = enumerate(orders)

    async def go() -> None:
        for place, order in due:
            at = begun + place / per_second
            await asyncio.sleep(max(0.0, at - clock.time()))
            placed.late = max(placed.late, clock.time() - at)
            await _buy(placed, shops[shop_of(order, len(shops))], order)

    await asyncio.gather(*(go() for _ in range(HANDS)))
    return placed


async def _buy(placed: Placed, shop: MallShop, order: RetailOrder) -> None:
    wish = {ref_at(shop.stall.kind, code): units for code, units in basket(order).items()}
    while wish:
        try:
            told = await shop.stall.sell(list(wish.items()), order.number)
        except SoldOut as short:
            placed.refused += 1
            wish = {ref: units for ref, units in wish.items() if ref != short.ref}
        else:
            number: tuple[UUID, str] = (shop.id, str(told["number"]))
            placed.visible[number] = datetime.fromisoformat(told["visible_at"])
            placed.lines += len(wish)
            return
