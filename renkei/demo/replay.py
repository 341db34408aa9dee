"""Shoppers at the malls: the real orders and cancellations, one after the other, each at the mall its number says.

A mall that has too little refuses the order; the shopper then takes what is left of that line, or leaves it out. A
cancellation gives back what the order still holds of its lines. One that takes all cancels the order itself, at once; one
that takes a part is the merchant's to enter at the mall, who does so when the order is there to be seen in Renkei. (What
an order held before anybody saw it, no mall tells.)
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.model.malls import ItemRef, MallKind
from renkei.demo.shadow import Comparison, compared
from renkei.demo.stalls import KINDS, SoldOut, Stall, ref_at
from renkei.example_shop.orders import RetailOrder, shop_of

SEEN_AGAIN = 0.5
MOST_LOOKS = 240

OrderKey = tuple[MallKind, str]
"""Mall and the mall's order number."""


@dataclass(slots=True)
class Tally:
    """What became of the shoppers of one mall so far. `refused`: lines the mall had too little for."""

    orders: int = 0
    lines: int = 0
    refused: int = 0
    sent_away: int = 0
    cancelled: int = 0


@dataclass(slots=True)
class Placed:
    """An order at its mall, and what it still holds. `codes`: how we call what it holds."""

    number: str
    left: dict[ItemRef, int]
    codes: Mapping[ItemRef, str]
    cuts: list["asyncio.Task[None]"] = field(default_factory=list)


@dataclass(slots=True)
class Shoppers:
    """`sees`: does Renkei know this order by now? `visible_at`: when each order entered, or enters, its mall's list.
    `done`: steps of the replay so far. `compared`: is told of everything. `last`: the newest order."""

    stalls: Mapping[MallKind, Stall]
    sees: Callable[[OrderKey], Awaitable[bool]]
    tallies: dict[MallKind, Tally] = field(
        default_factory=lambda: {kind: Tally() for kind in KINDS}
    )
    visible_at: dict[OrderKey, datetime] = field(default_factory=dict)
    done: int = 0
    compared: Comparison = field(default_factory=lambda: compared({}, {}, KINDS))
    last: OrderKey | None = None
    _placed: dict[str, Placed] = field(default_factory=dict)
    _cuts: list["asyncio.Task[None]"] = field(default_factory=list)

    async def replay(self, steps: Sequence[RetailOrder], per_second: float) -> None:
        """Each mall's in their order, together at this pace."""
        begun = asyncio.get_running_loop().time()
        due = {id(step): begun + place / per_second for place, step in enumerate(steps)}
        lanes = {kind: [step for step in steps if mall_of(step) is kind] for kind in KINDS}
        async with asyncio.TaskGroup() as together:
            for lane in lanes.values():
                together.create_task(self._walk(lane, due))
        await asyncio.gather(*self._cuts)

    async def _walk(self, lane: Sequence[RetailOrder], due: Mapping[int, float]) -> None:
        clock = asyncio.get_running_loop()
        for step in lane:
            await asyncio.sleep(max(0.0, due[id(step)] - clock.time()))
            await self.act(step)
            self.done += 1

    async def act(self, step: RetailOrder) -> Counter[str]:
        """The codes whose wish could not be met, in units."""
        if step.cancels is not None:
            await self._give_back(step)
            return Counter()
        return await self._buy(step)

    async def _buy(self, order: RetailOrder) -> Counter[str]:
        return await self.buy(mall_of(order), order.number, basket(order))

    async def buy(self, kind: MallKind, invoice: str, wish: Mapping[str, int]) -> Counter[str]:
        """A shopper with this wish, by code, at this mall: the codes whose wish could not be met, in units."""
        self.compared.wanted(kind, invoice, wish)
        tally = self.tallies[kind]
        refs = {ref_at(kind, code): code for code in wish}
        lines = {ref: wish[code] for ref, code in refs.items()}
        refused: Counter[str] = Counter()
        while lines:
            try:
                told = await self.stalls[kind].sell(list(lines.items()), invoice)
            except SoldOut as short:
                tally.refused += 1
                refused[refs[short.ref]] += lines[short.ref] - max(short.left, 0)
                lines = _with_what_is_left(lines, short)
            else:
                self._note((kind, str(told["number"])), told["visible_at"], invoice, lines, refs)
                return refused
        tally.sent_away += 1
        return refused

    def _note(
        self,
        key: OrderKey,
        visible_at: str,
        invoice: str,
        lines: Mapping[ItemRef, int],
        codes: Mapping[ItemRef, str],
    ) -> None:
        kind, number = self.last = key
        self.tallies[kind].orders += 1
        self.tallies[kind].lines += len(lines)
        self.visible_at[key] = datetime.fromisoformat(visible_at)
        self._placed[invoice] = Placed(number, dict(lines), codes)
        self.compared.sold({codes[ref]: units for ref, units in lines.items()})

    async def _give_back(self, step: RetailOrder) -> None:
        placed = self._placed.get(step.original)
        if placed is None:
            return
        kind = mall_of(step)
        cuts = _cuts(placed, basket(step), kind)
        if not cuts:
            return
        self.tallies[kind].cancelled += 1
        back = {placed.codes[ref]: units for ref, units in cuts.items()}
        self.compared.given_back(step.original, basket(step), back)
        for ref, units in cuts.items():
            placed.left[ref] -= units
        if any(placed.left.values()):
            placed.cuts.append(asyncio.create_task(self._cut(kind, placed.number, cuts)))
            self._cuts.append(placed.cuts[-1])
        else:
            await asyncio.gather(*placed.cuts)
            await self.stalls[kind].cancel(placed.number)

    async def _cut(self, kind: MallKind, number: str, cuts: Mapping[ItemRef, int]) -> None:
        for _ in range(MOST_LOOKS):
            if await self.sees((kind, number)):
                break
            await asyncio.sleep(SEEN_AGAIN)
        for ref, units in cuts.items():
            await self.stalls[kind].cut(number, ref, units)


def mall_of(step: RetailOrder) -> MallKind:
    """The file knows no malls: a hash of the order's number says which one it is replayed at."""
    return KINDS[shop_of(step, len(KINDS))]


def basket(order: RetailOrder) -> Counter[str]:
    """Units by code: a mall's basket has one line a product, whatever the file repeats."""
    units: Counter[str] = Counter()
    for line in order.lines:
        units[line.code] += line.quantity
    return units


def _with_what_is_left(lines: Mapping[ItemRef, int], short: SoldOut) -> dict[ItemRef, int]:
    taken = {**lines, short.ref: max(short.left, 0)}
    return {ref: units for ref, units in taken.items() if units}


def _cuts(placed: Placed, wish: Counter[str], kind: MallKind) -> dict[ItemRef, int]:
    asked = {ref_at(kind, code): units for code, units in wish.items()}
    cuts = {ref: min(units, placed.left.get(ref, 0)) for ref, units in asked.items()}
    return {ref: units for ref, units in cuts.items() if units}
