"""Orders that a store changes: one split in two, whose child takes units of one line along and whose parent keeps the rest,
their details naming each other; and one with units more."""

from dataclasses import replace
from datetime import datetime

from integrations.sandbox.ledger.values import ItemKey, Order, OrderLine


def child_of(
    order: Order, key: ItemKey, units: int, number: str, sequence: int, at: datetime
) -> Order:
    """Placed when its parent was placed, listed from `at` on."""
    line = next(line for line in order.lines if line.key == key)
    moved = replace(line, ordered=units, quantity=units, lowered=min(units, line.lowered))
    return replace(
        order,
        number=number,
        sequence=sequence,
        visible_at=at,
        updated_at=at,
        lines=(moved,),
        details={**order.details, "parent": order.number, "children": ""},
    )


def parent_of(order: Order, key: ItemKey, child: Order) -> Order:
    (moved,) = child.lines
    lines = tuple(
        replace(line, quantity=line.quantity - moved.quantity, lowered=line.lowered - moved.lowered)
        if line.key == key
        else line
        for line in order.lines
    )
    children = [order.details.get("children", ""), child.number]
    details = {**order.details, "children": ",".join(filter(None, children))}
    return replace(order, updated_at=child.updated_at, lines=lines, details=details)


def with_more(order: Order, more: OrderLine, at: datetime) -> Order:
    """A line of the same item grows; else there is one line more."""
    lines = tuple(_grown(line, more) if line.key == more.key else line for line in order.lines)
    if more.key not in {line.key for line in order.lines}:
        lines = (*lines, more)
    return replace(order, updated_at=at, lines=lines)


def _grown(line: OrderLine, more: OrderLine) -> OrderLine:
    return replace(
        line,
        ordered=line.ordered + more.ordered,
        quantity=line.quantity + more.quantity,
        lowered=line.lowered + more.lowered,
    )
