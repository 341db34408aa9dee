"""Does everything balance? What the malls say of themselves is held against our books.

* For every listing the mall's own counter equals the quantity to show, worked out anew from the totals.
* Every ledger sums to its product's total.
* Every order at a mall took exactly what it holds there now, through link and set parts, once: its noted effect and its
  movements agree with the mall's order. This is why the demo's shops give cancelled units back (RESTORE): what an order
  should have taken then follows from the mall's books alone. Under IGNORE it would hang on when we first saw the order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.model.malls import ItemRef
from domain.model.sets import PartStock, SetPart, sellable_sets
from domain.model.stock import quantity_to_show, sellable
from domain.store.audit import AuditedListing, AuditedProduct, Books
from renkei.demo.books import MallBooks

EffectKey = tuple[UUID, str, UUID]
"""Shop, order number, product."""


class Kind(StrEnum):
    DIFFERENCE = "DIFFERENCE"
    LEDGER = "LEDGER"
    UNAPPLIED = "UNAPPLIED"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Audit:
    """`orders` and `lines`: those at the malls. `requests`: calls the malls have had."""

    orders: int
    lines: int
    listings: int
    requests: int
    findings: tuple[Finding, ...]

    def count(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def balanced(self) -> bool:
        return not self.findings


def audit(malls: Sequence[MallBooks], ours: Books) -> Audit:
    orders = [order for mall in malls for order in mall.orders.values()]
    return Audit(
        orders=len(orders),
        lines=sum(order.lines for order in orders),
        listings=len(ours.listings),
        requests=sum(mall.requests for mall in malls),
        findings=(*_differences(malls, ours), *_ledgers(ours), *_effects(malls, ours)),
    )


def _differences(malls: Sequence[MallBooks], ours: Books) -> Iterator[Finding]:
    """A listing the mall does not know shows nothing, which differs from every number."""
    numbers = _numbers(ours)
    counters = {mall.shop_id: mall.counters for mall in malls}
    for listing in ours.listings:
        wanted = _to_show(listing, numbers)
        shown = counters.get(listing.shop_id, {}).get(listing.ref)
        if wanted != shown:
            yield Finding(
                Kind.DIFFERENCE, f"{listing.ref} shows {shown}, and should show {wanted}."
            )


def _ledgers(ours: Books) -> Iterator[Finding]:
    for product in ours.products:
        if product.ledger != product.total:
            yield Finding(
                Kind.LEDGER,
                f"{product.code} has a total of {product.total}, and its ledger sums to {product.ledger}.",
            )


def _effects(malls: Sequence[MallBooks], ours: Books) -> Iterator[Finding]:
    """`absorbed` units count as taken: they were out of the total by other means, and moved nothing."""
    wanted, applied, moved = _wanted(malls, ours), Counter[EffectKey](), Counter[EffectKey]()
    for effect in ours.effects:
        key = (effect.shop_id, effect.number, effect.product_id)
        applied[key] += effect.applied + effect.absorbed
        moved[key] += effect.moved + effect.absorbed
    codes = {product.id: product.code for product in ours.products}
    for key in sorted(wanted.keys() | applied.keys() | moved.keys(), key=str):
        if not wanted[key] == applied[key] == moved[key]:
            yield Finding(
                Kind.UNAPPLIED,
                f"Order {key[1]} holds {wanted[key]} of {codes.get(key[2], key[2])}; its effect says"
                f" {applied[key]}, the ledger {moved[key]}.",
            )


def _wanted(malls: Sequence[MallBooks], ours: Books) -> Counter[EffectKey]:
    """What each order holds at its mall, by product. A code that is linked to nothing counts as lost."""
    meanings = _meanings(ours)
    nothing = UUID(int=0)
    wanted: Counter[EffectKey] = Counter()
    for mall in malls:
        for number, order in mall.orders.items():
            for ref, units in order.units.items():
                for product_id, count in meanings.get((mall.shop_id, ref), {nothing: 1}).items():
                    wanted[mall.shop_id, number, product_id] += units * count
    return wanted


def _meanings(ours: Books) -> dict[tuple[UUID, ItemRef], Mapping[UUID, int]]:
    parts: dict[UUID, dict[UUID, int]] = {}
    for part in ours.parts:
        parts.setdefault(part.set_id, {})[part.part_id] = part.count
    return {
        (listing.shop_id, listing.ref): parts.get(listing.product_id, {listing.product_id: 1})
        for listing in ours.listings
    }


@dataclass(frozen=True, slots=True)
class _Numbers:
    products: Mapping[UUID, AuditedProduct]
    stock: Mapping[UUID, PartStock]
    parts: Mapping[UUID, Sequence[SetPart]]


def _numbers(ours: Books) -> _Numbers:
    parts: dict[UUID, list[SetPart]] = {}
    for part in ours.parts:
        parts.setdefault(part.set_id, []).append(SetPart(part.part_id, part.count))
    stock = {each.id: PartStock(each.total, each.reserve, each.managed) for each in ours.products}
    return _Numbers({each.id: each for each in ours.products}, stock, parts)


def _to_show(listing: AuditedListing, numbers: _Numbers) -> int | None:
    product = numbers.products[listing.product_id]
    free: int | None = sellable(product.total, product.reserve)
    if product.kind == "SET":
        free = sellable_sets(numbers.parts[product.id], numbers.stock, product.reserve)
    return None if free is None else quantity_to_show(free, listing.minimum, listing.maximum)
