"""Shoppers: each comes at their time, buys what the mall still has, and is gone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.oversell.malls import Stand
from benchmarks.oversell.scene import Wish
from benchmarks.oversell.virtual import Clock


@dataclass(frozen=True, slots=True)
class Sale:
    """Units that a mall accepted in one order, by product."""

    at: float
    shop: str
    units: Mapping[str, int]


@dataclass(slots=True)
class Shoppers:
    """`placed`: orders by shop so far. `turned_away`: units that a mall had no more of."""

    clock: Clock
    stands: Mapping[str, Stand]
    sales: list[Sale] = field(default_factory=list)
    placed: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0

    async def shop(self, wishes: Sequence[Wish]) -> None:
        """Everybody, from the first to the last."""
        for wish in wishes:
            await self.clock.until(wish.at)
            bought = await self.stands[wish.shop].buy(wish.units, wish.invoice)
            self.turned_away += sum(wish.units.values()) - sum(bought.values())
            if bought:
                self.sales.append(Sale(wish.at, wish.shop, bought))
                self.placed[wish.shop] += 1
