"""Which products the demo's page and its board show: twelve that are asked for most, of every kind."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from renkei.example_shop.catalogue import RetailProduct
from renkei.example_shop.orders import RetailOrder

ROWS = 12
FOODS = 4
SETS = 1
A_FEW = 12


def on_show(
    catalogue: Sequence[RetailProduct], orders: Iterable[RetailOrder]
) -> tuple[RetailProduct, ...]:
    """Most orders first; among them so many with a Japanese name, and a set, where there are."""
    asked = Counter(code for order in orders for code in {line.code for line in order.lines})
    ranked = sorted(catalogue, key=lambda each: (-asked[each.code], each.code))
    chosen = {each.code for each in _chosen(ranked)}
    rest = (each for each in ranked if each.code not in chosen)
    chosen |= {each.code for each in islice(rest, ROWS - len(chosen))}
    return tuple(each for each in ranked if each.code in chosen)


def full(rows: Iterable[RetailProduct], catalogue: Iterable[RetailProduct]) -> Mapping[str, int]:
    """How much of what is on show, and of what its sets are made of, a full shelf holds: what it began with, or a few."""
    began = {each.code: each.starting_stock for each in catalogue}
    shelved = {part for each in rows for part in each.parts or (each.code,)}
    return {code: max(began[code], A_FEW) for code in shelved}


def _chosen(ranked: Sequence[RetailProduct]) -> Iterator[RetailProduct]:
    yield from islice((each for each in ranked if each.parts), SETS)
    singles = [each for each in ranked if not each.parts]
    yield from islice((each for each in singles if each.name != each.shop_name), FOODS)
    yield from islice(
        (each for each in singles if each.name == each.shop_name), ROWS - FOODS - SETS
    )
