"""What came of an arm: what the malls sold beyond what was held, and for how long they offered what was not there.

Asked of the malls' side alone: what shoppers got, and what was written to the counters.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.oversell.malls import Written
from benchmarks.oversell.scene import SHARES, Scene
from benchmarks.oversell.shoppers import Sale


@dataclass(frozen=True, slots=True)
class Delays:
    """In seconds, by shop. `unseen`: for how long a sale there cannot be known. `landing`: from writing a number there to its
    counter."""

    unseen: Mapping[str, float]
    landing: Mapping[str, float]

    def tell(self, sold_at: str, counter_at: str) -> float:
        """How long a sale at one shop cannot be on the counter of another."""
        return self.unseen[sold_at] + self.landing[counter_at]


@dataclass(frozen=True, slots=True)
class Score:
    """`beyond`: units accepted beyond what was held, over all products. `incidents`: lines that took units that were not
    there. `too_soon`: units of `beyond` that were sold before an earlier sale elsewhere could have been known: within the
    mall's order visibility, one poll, and the time in which the selling mall takes a number over. `exposed`: the longest a counter stood above what was left. `offered`: hours for
    which counters offered a product that was sold out, all counters together."""

    orders: int
    units: int
    turned_away: int
    beyond: int
    products: int
    incidents: int
    too_soon: int
    exposed: timedelta
    offered: timedelta

    @property
    def in_time(self) -> int:
        """Units of `beyond` that would not have been sold by who polls so often and writes at once."""
        return self.beyond - self.too_soon


def score(
    scene: Scene,
    sales: Sequence[Sale],
    written: Sequence[Written],
    *,
    start: datetime,
    turned_away: int,
    delays: Delays,
) -> Score:
    sold = Counter[str]()
    for sale in sales:
        sold.update(sale.units)
    beyond = {code: units - scene.held[code] for code, units in sold.items()}
    over = {code: units for code, units in beyond.items() if units > 0}
    falls = list(_oversales(scene, sales, delays))
    longest, offered = _exposure(scene, sales, written, start)
    return Score(
        orders=len(sales),
        units=sum(sold.values()),
        turned_away=turned_away,
        beyond=sum(over.values()),
        products=len(over),
        incidents=len(falls),
        too_soon=sum(too_soon for _, too_soon in falls),
        exposed=longest,
        offered=offered,
    )


def _oversales(scene: Scene, sales: Sequence[Sale], delays: Delays) -> Iterator[tuple[int, int]]:
    """Of each line that took more than was left: units beyond, and how many of them the sales that could be known by then
    would not have prevented."""
    before: defaultdict[str, list[tuple[float, str, int]]] = defaultdict(list)
    for sale in sales:
        for code, units in sale.units.items():
            left = scene.held[code] - sum(sold for _, _, sold in before[code])
            beyond = units - max(left, 0)
            if beyond > 0:
                known = scene.held[code] - _known(before[code], sale, delays)
                yield beyond, max(0, min(units, max(known, 0)) - max(left, 0))
            before[code].append((sale.at, sale.shop, units))


def _known(before: Sequence[tuple[float, str, int]], sale: Sale, delays: Delays) -> int:
    """Units sold before that the selling mall's counter could have told: its own sales, and what had become known."""
    return sum(
        units
        for at, shop, units in before
        if shop == sale.shop or at + delays.tell(shop, sale.shop) <= sale.at
    )


def _exposure(
    scene: Scene, sales: Sequence[Sale], written: Sequence[Written], start: datetime
) -> tuple[timedelta, timedelta]:
    """The longest a counter stood above what was left, and how long counters offered what was sold out, summed."""
    happened: defaultdict[str, list[tuple[float, str, int, bool]]] = defaultdict(list)
    for sale in sales:
        for code, units in sale.units.items():
            happened[code].append((sale.at, sale.shop, units, True))
    for write in written:
        at = (write.at - start).total_seconds()
        happened[write.code].append((at, write.shop, write.quantity, False))
    longest = offered = 0.0
    for code, events in happened.items():
        most, sold_out = _of_product(scene.held[code], sorted(events, key=lambda each: each[0]))
        longest, offered = max(longest, most), offered + sold_out
    return timedelta(seconds=round(longest)), timedelta(seconds=round(offered))


def _of_product(held: int, events: Sequence[tuple[float, str, int, bool]]) -> tuple[float, float]:
    left, counters = held, dict.fromkeys(SHARES, held)
    since: dict[str, float] = {}
    longest = offered = last = 0.0
    for at, shop, number, is_sale in events:
        offered += (at - last) * sum(left <= 0 < counter for counter in counters.values())
        last = at
        left -= number if is_sale else 0
        counters[shop] = counters[shop] - number if is_sale else number
        for name, counter in counters.items():
            if counter > max(left, 0):
                since.setdefault(name, at)
            elif name in since:
                longest = max(longest, at - since.pop(name))
    return longest, offered
