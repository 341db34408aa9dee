"""What the shop sells: codes, names, how many were asked for, and what it starts with.

Japanese names are the ministry's names of foods, given to every third product: the names are real and the demand is
real, and they have nothing to do with each other. Sets are real products of the shop; that they are made of these
parts is our reading of the names, as the file names no parts.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from renkei.example_shop.orders import RetailOrder

FOODS_FILE = "foods_mext_2020.csv"
JAPANESE_EVERY = 3
STARTING_PERCENT = 60

SETS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        # SET/3 POT PLANT CANDLES: BLUE, PINK and YELLOW POT PLANT CANDLE
        "20934": {"20931": 1, "20932": 1, "20933": 1},
        # SET/3 ROSE CANDLE IN JEWELLED BOX: ROSE SCENT CANDLE IN JEWELLED BOX
        "72807A": {"72802A": 3},
        # SET OF 6 T-LIGHTS CACTI: CACTI T-LIGHT CANDLES
        "22811": {"85175": 6},
        # SET OF 6 RIBBONS VINTAGE CHRISTMAS: 3 RAFFIA RIBBONS VINTAGE CHRISTMAS
        "22734": {"23435": 2},
        # SET OF 3 WOODEN HEART DECORATIONS: HEART WOODEN CHRISTMAS DECORATION
        "23263": {"22574": 3},
    }
)


@dataclass(frozen=True, slots=True)
class RetailProduct:
    """`demand`: units ordered, those sold within sets included. `parts`: units of other products; a set has no stock of
    its own. `shop_name` is the shop's own name, `name` the one to show."""

    code: str
    name: str
    shop_name: str
    demand: int
    starting_stock: int
    parts: Mapping[str, int]


def read_foods(path: Path) -> list[str]:
    """The names, byte for byte, in the file's order. Raises OSError or KeyError on another file."""
    with path.open(encoding="utf-8", newline="") as text:
        return [cells["name"] for cells in csv.DictReader(text)]


def catalogue_of(
    orders: Iterable[RetailOrder], names: Mapping[str, str], foods: Iterable[str]
) -> list[RetailProduct]:
    """Every product these orders ask for and every part of their sets, by code. Demand leaves cancellations out: what
    was given back had been asked for. `names` has them all, as `OrderStream.names` has."""
    demand = _with_parts(_demand(orders))
    shown = dict(_shown_names(names, foods))
    return [_product(code, shown[code], names[code], demand[code]) for code in sorted(demand)]


def _demand(orders: Iterable[RetailOrder]) -> Counter[str]:
    demand: Counter[str] = Counter()
    for order in orders:
        if order.cancels is None:
            for line in order.lines:
                demand[line.code] += line.quantity
    return demand


def _with_parts(demand: Counter[str]) -> Counter[str]:
    """Selling a set takes its parts."""
    whole = demand.copy()
    for code in SETS.keys() & demand.keys():
        for part, count in SETS[code].items():
            whole[part] += demand[code] * count
    return whole


def _shown_names(names: Mapping[str, str], foods: Iterable[str]) -> Iterator[tuple[str, str]]:
    """By code over all names, so that a product is called the same whichever orders are looked at. Sets keep theirs."""
    japanese = iter(foods)
    for place, code in enumerate(sorted(names)):
        takes = place % JAPANESE_EVERY == 0 and code not in SETS
        yield code, next(japanese, names[code]) if takes else names[code]


def _product(code: str, name: str, shop_name: str, demand: int) -> RetailProduct:
    parts = SETS.get(code, {})
    return RetailProduct(code, name, shop_name, demand, 0 if parts else _starting(demand), parts)


def _starting(demand: int) -> int:
    """60 % of what will be asked for, so that products sell out; at least one where anything is."""
    return -(-demand * STARTING_PERCENT // 100)
