"""The example shop's shoppers at five shops, each at the one that a hash of the order's number names.

What a mall has too little of is taken as far as it goes. Of a real cancellation all that is left of its lines is given back;
of every twelfth order nothing is kept: it is cancelled within moments. What nobody cancels is shipped.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.market import MallShop
from domain.model.malls import ItemRef, MallKind
from renkei.demo.replay import basket
from renkei.demo.stalls import SoldOut, ref_at
from renkei.example_shop.orders import RetailOrder, shop_of

REGRETS_ONE_IN = 12
REGRETS_AFTER = 2.0
SHIPPED_AFTER = 3.0
SEEN_AGAIN = 0.5
MOST_LOOKS = 240
SHIPPED: Mapping[MallKind, str] = MappingProxyType(
    {MallKind.RAKUTEN: "500", MallKind.YAHOO_SHOPPING: "5", MallKind.AMAZON: "SHIPPED"}
)
"""In each mall's own words."""


@dataclass(slots=True)
class Placed:
    """An order at its mall, and what it holds."""

    shop: MallShop
    number: str
    left: dict[ItemRef, int]


@dataclass(slots=True)
class Crowd:
    """`sees`: does Renkei know this order of this shop by now?"""

    shops: Sequence[MallShop]
    sees: Callable[[MallShop, str], Awaitable[bool]]
    tally: Counter[str] = field(default_factory=Counter)
    _placed: dict[str, Placed] = field(default_factory=dict)
    _later: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)

    async def come(self, steps: Sequence[RetailOrder], seconds: float) -> None:
        """Spread over so many seconds; then what was still to be cancelled or shipped is."""
        begun = asyncio.get_running_loop().time()
        kept = {step.original for step in steps if step.cancels}
        lanes: dict[int, list[tuple[float, RetailOrder]]] = {}
        for nth, step in enumerate(steps):
            due = begun + nth * seconds / len(steps)
            lanes.setdefault(shop_of(step, len(self.shops)), []).append((due, step))
        async with self._later:
            for nth, lane in lanes.items():
                self._later.create_task(self._walk(self.shops[nth], lane, kept))

    async def _walk(
        self, shop: MallShop, lane: Sequence[tuple[float, RetailOrder]], kept: set[str]
    ) -> None:
        clock = asyncio.get_running_loop()
        for due, step in lane:
            await asyncio.sleep(max(0.0, due - clock.time()))
            if step.cancels is not None:
                await self._give_back(step)
            elif (placed := await self._buy(shop, step)) is not None and step.number not in kept:
                self._later.create_task(self._part_with(placed, step))

    async def _buy(self, shop: MallShop, order: RetailOrder) -> Placed | None:
        wish = {ref_at(shop.stall.kind, code): units for code, units in basket(order).items()}
        while wish:
            try:
                told = await shop.stall.sell(list(wish.items()), order.number)
            except SoldOut as short:
                self.tally["lines refused"] += 1
                left = {**wish, short.ref: max(short.left, 0)}
                wish = {ref: units for ref, units in left.items() if units}
            else:
                self.tally["orders"] += 1
                self.tally["lines"] += len(wish)
                self._placed[order.number] = Placed(shop, str(told["number"]), wish)
                return self._placed[order.number]
        self.tally["sent away"] += 1
        return None

    async def _part_with(self, placed: Placed, order: RetailOrder) -> None:
        """The shopper regrets it, or gets it."""
        if zlib.crc32(order.number.encode()) % REGRETS_ONE_IN == 0:
            await asyncio.sleep(REGRETS_AFTER)
            self.tally["cancels"] += 1
            await placed.shop.stall.cancel(placed.number)
            return
        await asyncio.sleep(SHIPPED_AFTER)
        shipped = SHIPPED[placed.shop.stall.kind]
        await placed.shop.stall.ask("POST", "status", number=placed.number, status=shipped)

    async def _give_back(self, step: RetailOrder) -> None:
        placed = self._placed.get(step.original)
        if placed is None:
            return
        asked = {ref_at(placed.shop.stall.kind, code): n for code, n in basket(step).items()}
        cuts = {ref: min(n, placed.left.get(ref, 0)) for ref, n in asked.items()}
        for ref, units in cuts.items():
            if units:
                placed.left[ref] -= units
                self.tally["cancels"] += 1
                self._later.create_task(self._cut(placed, ref, units))

    async def _cut(self, placed: Placed, ref: ItemRef, units: int) -> None:
        """The merchant enters it at the mall, when the order is there to be seen in Renkei."""
        for _ in range(MOST_LOOKS):
            if await self.sees(placed.shop, placed.number):
                break
            await asyncio.sleep(SEEN_AGAIN)
        await placed.shop.stall.cut(placed.number, ref, units)
