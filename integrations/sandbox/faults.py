"""What can go wrong at a mall, switched on per shop for the next N calls or until it is lifted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

ShopKey = tuple[str, str]
"""Mall and seller."""


class FaultKind(StrEnum):
    THROTTLE = "throttle"  # answered as if too many calls were made
    MAINTENANCE = "maintenance"  # answered as the mall answers while closed
    EXPIRED = "expired"  # credentials refused until renewed
    SPURIOUS = "spurious"  # answered with the error named by `code`, nothing done
    PARTIAL = "partial"  # the items in `items` are refused
    NOT_APPLIED = "not_applied"  # answered as a success, nothing done
    NO_ANSWER = "no_answer"  # done, and never answered
    LATE = "late"  # never answered, and done `seconds` later, however much was asked meanwhile
    CUT = "cut"  # done, and the connection cut while answering
    SLOW = "slow"  # done and answered `seconds` later
    MALFORMED = "malformed"  # done, and half an answer given
    STUCK = "stuck"  # feeds made now end when it is lifted
    FATAL = "fatal"  # feeds made now are broken off when half of their items are done
    LATE_ORDERS = "late_orders"  # orders placed now enter the list `seconds` of real time later


AUTH = "auth"
WRITES = "writes"
OF_WRITES_ONLY = frozenset({FaultKind.PARTIAL, FaultKind.NOT_APPLIED})
OF_WRITES_UNLESS_NAMED = frozenset({FaultKind.NO_ANSWER, FaultKind.LATE, FaultKind.CUT})


@dataclass(slots=True)
class Fault:
    """`on`: names of operations or areas (stock, orders, catalogue, auth, writes).

    Empty means everything but auth; for NO_ANSWER, LATE and CUT it means writes.
    `calls`: how many more calls it meets, None until lifted.
    """

    kind: FaultKind
    on: frozenset[str] = frozenset()
    calls: int | None = None
    items: frozenset[str] = frozenset()
    seconds: float = 0.0
    code: str = ""
    number: int = 0

    def meets(self, tags: frozenset[str]) -> bool:
        if self.kind in OF_WRITES_ONLY and WRITES not in tags:
            return False
        if self.on:
            return not self.on.isdisjoint(tags)
        if self.kind in OF_WRITES_UNLESS_NAMED:
            return WRITES in tags
        return AUTH not in tags


@dataclass(slots=True)
class Faults:
    """All faults of all shops."""

    _of_shop: dict[ShopKey, list[Fault]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, shop: ShopKey, fault: Fault) -> Fault:
        fault.number = next(self._numbers)
        self._of_shop.setdefault(shop, []).append(fault)
        return fault

    def lift(self, shop: ShopKey, kind: FaultKind | None = None) -> int:
        """Lifts the shop's faults of this kind, or all. Answers how many there were."""
        before = self.of(shop)
        self._of_shop[shop] = [f for f in before if kind is not None and f.kind != kind]
        return len(before) - len(self._of_shop[shop])

    def of(self, shop: ShopKey) -> list[Fault]:
        return list(self._of_shop.get(shop, []))

    def meet(self, shop: ShopKey, kind: FaultKind, tags: frozenset[str]) -> Fault | None:
        """The oldest fault of this kind that meets a call with these tags; one of its calls is used up."""
        for fault in self._of_shop.get(shop, []):
            if fault.kind == kind and fault.meets(tags):
                self._use(shop, fault)
                return fault
        return None

    def holds(self, shop: ShopKey, kind: FaultKind) -> bool:
        return any(fault.kind == kind for fault in self._of_shop.get(shop, []))

    def _use(self, shop: ShopKey, fault: Fault) -> None:
        if fault.calls is None:
            return
        fault.calls -= 1
        if fault.calls <= 0:
            self._of_shop[shop].remove(fault)
