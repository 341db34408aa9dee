"""An order split in two: the child takes units of one line along, the parent keeps the rest; their details name each other."""

from dataclasses import replace
from datetime import datetime

from integrations.sandbox.ledger.values import ItemKey, Order


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
