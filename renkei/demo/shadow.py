"""Units sold that did not exist: here, and at a shadow of the same malls that are told every number every five minutes.

The shadow has no network, no faults and no limits: its writes always arrive, all at once. What it is told is what the real
demo is told: the same shoppers want the same goods at the same mall at the same moment, the same orders are cancelled, the
same goods arrive. Its rules, favourable where there was a choice:

* Each mall sells from a counter of its own. Who finds too little takes what is left.
* A cancellation is back on the mall's counter and in the total at once.
* Every five minutes every counter is set to what there is, and never below zero: by the clock on the wall, as it is for us.

In both worlds a unit is sold that did not exist when it is taken from a total that is zero or less.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.model.malls import MallKind

WRITES_EVERY = 300.0
"""Seconds."""

Units = Mapping[str, int]
"""By our code."""


@dataclass(slots=True)
class Till:
    """What there is of everything. `parts`: of what each set is made."""

    totals: dict[str, int]
    parts: Mapping[str, Units]
    missing: int = 0
    """Units sold that did not exist."""

    def sold(self, units: Units) -> None:
        for code, count in self._singles(units).items():
            total = self.totals.get(code, 0)
            self.missing += count - min(count, max(total, 0))
            self.totals[code] = total - count

    def came(self, units: Units) -> None:
        """Given back, or new."""
        for code, count in self._singles(units).items():
            self.totals[code] = self.totals.get(code, 0) + count

    def there_is(self, code: str) -> int:
        """How many can be sold: of a set what its parts allow; of nothing less than none."""
        made_of = self.parts.get(code, {code: 1})
        return min(max(self.totals.get(part, 0), 0) // count for part, count in made_of.items())

    def _singles(self, units: Units) -> Counter[str]:
        singles: Counter[str] = Counter()
        for code, count in units.items():
            for part, each in self.parts.get(code, {code: 1}).items():
                singles[part] += count * each
        return singles


@dataclass(slots=True)
class Shadow:
    """The malls that are told every number now and then."""

    till: Till
    counters: dict[MallKind, dict[str, int]]
    _held: dict[str, tuple[MallKind, Counter[str]]] = field(default_factory=dict)
    """What each shopper's order holds."""

    def wants(self, kind: MallKind, order: str, wish: Units) -> None:
        counter = self.counters[kind]
        taken = Counter({code: min(units, counter.get(code, 0)) for code, units in wish.items()})
        taken = +taken
        for code, units in taken.items():
            counter[code] -= units
        self.till.sold(taken)
        self._held[order] = (kind, taken)

    def gives_back(self, order: str, wish: Units) -> None:
        """As much of it as the order holds here."""
        kind, held = self._held.get(order, (None, Counter[str]()))
        back = Counter({code: min(units, held[code]) for code, units in wish.items()})
        held.subtract(back)
        self.till.came(+back)
        for code, units in (+back).items():
            if kind is not None:
                self.counters[kind][code] += units

    def write(self) -> None:
        for counter in self.counters.values():
            for code in counter:
                counter[code] = self.till.there_is(code)


@dataclass(slots=True)
class Comparison:
    """Both worlds, told the same. `orders`: how many shoppers were served here."""

    here: Till
    shadow: Shadow
    orders: int = 0

    @property
    def missing(self) -> tuple[int, int]:
        """Units sold that did not exist: here, and at the shadow."""
        return self.here.missing, self.shadow.till.missing

    def wanted(self, kind: MallKind, order: str, wish: Units) -> None:
        self.shadow.wants(kind, order, wish)

    def sold(self, units: Units) -> None:
        self.orders += 1
        self.here.sold(units)

    def given_back(self, order: str, wish: Units, here: Units) -> None:
        self.here.came(here)
        self.shadow.gives_back(order, wish)

    def arrived(self, units: Units) -> None:
        self.here.came(units)
        self.shadow.till.came(units)

    def counted(self, code: str, total: int) -> None:
        """A person set a total."""
        self.here.totals[code] = self.shadow.till.totals[code] = total

    def typed(self, kind: MallKind, code: str, quantity: int) -> None:
        """A person typed a number into the mall's own screen."""
        self.shadow.counters[kind][code] = quantity


def compared(
    totals: Units,
    parts: Mapping[str, Units],
    kinds: Iterable[MallKind],
) -> Comparison:
    """Both begin with these totals, and every mall showing them."""
    codes = {*totals, *parts}
    shadow = Till(dict(totals), parts)
    shown = {code: shadow.there_is(code) for code in codes}
    return Comparison(
        Till(dict(totals), parts), Shadow(shadow, {kind: dict(shown) for kind in kinds})
    )
