"""Orders that the store split: each part is an order of its own with units of the first (the mall's fact sheet, §4).

What the parts hold was sold once, with the first. So the first is told with the units of all its parts, and each part
with none: whichever of them a window shows, and however often the order is split, no unit is counted twice. When they
were updated is not said: a change of any of them changes the first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from domain.model.errors import MallMalformed
from domain.model.malls import MallOrder, OrderStatus

MOST_PARTS = 20

BY_PRECEDENCE = (OrderStatus.HOLDS, OrderStatus.SHIPPED, OrderStatus.RELEASED)
"""The whole holds stock as long as a part does, and is cancelled when all of them are."""


@dataclass(frozen=True, slots=True)
class Part:
    """An order as its own detail tells it. `parent`: of which it is a part, empty where of none."""

    order: MallOrder
    parent: str = ""
    children: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.parent and not self.children


Read = Callable[[str], Awaitable[Part]]


async def told_as(number: str, read: Read) -> list[MallOrder]:
    """The order of this number as it is to be counted; of one that was split the first, and it itself."""
    part = await read(number)
    if part.is_whole:
        return [part.order]
    orders = [whole(await family(part, read))]
    return [*orders, without_units(part)] if part.parent else orders


async def family(part: Part, read: Read) -> list[Part]:
    """The first order and every part of it. Raises MallMalformed for more than MOST_PARTS, or what goes round in circles."""
    for _ in range(MOST_PARTS):
        if not part.parent:
            return await _below(part, read)
        part = await read(part.parent)
    raise MallMalformed("Parts of an order lead to no first one.")


async def _below(first: Part, read: Read) -> list[Part]:
    found = {first.order.number: first}
    waiting = list(first.children)
    while waiting:
        number = waiting.pop()
        if number in found or len(found) == MOST_PARTS:
            raise MallMalformed("An order is split too often to be read.")
        found[number] = await read(number)
        waiting += found[number].children
    return list(found.values())


def whole(parts: Sequence[Part]) -> MallOrder:
    """The first order, with the units of all that are not cancelled; when all of them are, with those of all."""
    orders = [part.order for part in parts]
    status = min((order.status for order in orders), key=BY_PRECEDENCE.index)
    held = [
        order
        for order in orders
        if status is OrderStatus.RELEASED or order.status is not OrderStatus.RELEASED
    ]
    lines = tuple(line for order in held for line in order.lines)
    return replace(orders[0], status=status, lines=lines, updated_at=None)


def without_units(part: Part) -> MallOrder:
    """Its units are told with the first order."""
    return replace(part.order, lines=(), updated_at=None)
