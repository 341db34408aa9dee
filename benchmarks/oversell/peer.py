"""What the documented peers do (らくらく在庫, TEMPOSTAR, CROSS MALL, Next Engine): a run every five minutes.

A run reads the new orders of every shop, takes them off its totals, and then writes the total, as an absolute number, wherever
it differs from what was written last, the shop that sold included. It does so as well as such a program can: all shops at
once, one call after the other within the same limits, by the same connectors; an order counts once; a call that failed is
made again by the next run; a run that is still under way when the next is due is not disturbed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.oversell.malls import Stand
from benchmarks.oversell.shoppers import Shoppers
from benchmarks.oversell.virtual import Clock
from domain.model.errors import MallError
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    Mall,
    MallOrder,
    OrderWindow,
    PushOutcome,
    StockPush,
)
from domain.model.order_readings import LastRead
from domain.model.orders import fingerprint
from renkei.demo.stalls import ref_at

RUN_EVERY = 300.0


@dataclass(slots=True)
class Shop:
    """One shop as the peer knows it. `shown`: the numbers it has written. `since`: until when its orders are known.
    `taken`: how each of them was read."""

    stand: Stand
    mall: Mall
    since: datetime
    shown: dict[str, int]
    taken: dict[str, LastRead] = field(default_factory=dict)

    async def recall(self, numbers: Sequence[str]) -> Mapping[str, LastRead]:
        return {number: self.taken[number] for number in numbers if number in self.taken}


@dataclass(slots=True)
class Peer:
    """`totals` by product. `idle`: a run that would find nothing is left out, and noted as if it had been."""

    clock: Clock
    shops: Mapping[str, Shop]
    totals: dict[str, int]
    shoppers: Shoppers
    idle: bool = True
    busy: bool = False

    async def work(self, over: Callable[[], bool]) -> None:
        """Until it is over and everything is written, however late."""
        while not over() or self._unfinished():
            await self.clock.until((self.clock.seconds // RUN_EVERY + 1) * RUN_EVERY)
            await self._run()

    def _unfinished(self) -> bool:
        return not self._knows_all() or self._unwritten()

    def _knows_all(self) -> bool:
        return all(not self._missing(shop) for shop in self.shops.values())

    def _missing(self, shop: Shop) -> int:
        return self.shoppers.placed[shop.stand.name] - len(shop.taken)

    def _unwritten(self) -> bool:
        return any(self._changed(shop) for shop in self.shops.values())

    async def _run(self) -> None:
        await asyncio.gather(*(self._fetch(shop) for shop in self.shops.values()))
        await asyncio.gather(*(self._write(shop) for shop in self.shops.values()))

    async def _fetch(self, shop: Shop) -> None:
        limits = MALL_SPECS[shop.stand.kind].capabilities
        until = self.clock.now() - limits.order_lag
        if self.idle and not self._missing(shop):
            shop.since = until
            return
        window = OrderWindow(shop.since - limits.order_overlap, until)
        try:
            async for page in shop.mall.orders_placed(window, shop.recall):
                for order in page.orders:
                    self._take(shop, order, page.observed_at)
        except MallError:
            return
        shop.since = until

    def _take(self, shop: Shop, order: MallOrder, observed_at: datetime) -> None:
        known = order.number in shop.taken
        shop.taken[order.number] = LastRead(observed_at, order.updated_at, fingerprint(order))
        if known:
            return
        for line in order.lines:
            self.totals[shop.stand.code_of[line.ref]] -= line.quantity

    def _changed(self, shop: Shop) -> dict[str, int]:
        return {
            code: max(total, 0)
            for code, total in self.totals.items()
            if max(total, 0) != shop.shown[code]
        }

    async def _write(self, shop: Shop) -> None:
        """As many calls at once as Renkei has under way at such a shop."""
        changed = list(self._changed(shop).items())
        limits = MALL_SPECS[shop.stand.kind].capabilities
        for start in range(0, len(changed), limits.max_pushes_at_once):
            some = changed[start : start + limits.max_pushes_at_once]
            size = limits.max_pushes_per_call
            calls = [dict(some[first : first + size]) for first in range(0, len(some), size)]
            await asyncio.gather(*(self._write_some(shop, call) for call in calls))

    async def _write_some(self, shop: Shop, numbers: Mapping[str, int]) -> None:
        pushes = [StockPush(ref_at(shop.stand.kind, code), n) for code, n in numbers.items()]
        try:
            results = await shop.mall.push_stock(pushes)
        except MallError:
            return
        for (code, number), result in zip(numbers.items(), results, strict=True):
            if result.outcome is not PushOutcome.REFUSED:
                shop.shown[code] = number
