"""在庫マイナス: an incident is opened by the order that takes a total below zero, and closed when it is there again.

Nothing is asked of the database where no total crosses zero.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.model import oversells as rules
from domain.model.stock import Cause
from domain.store import oversells
from domain.store.database import Tx
from domain.store.oversells import Fall
from domain.store.stock import Movement


async def watch(
    tx: Tx, movements: Sequence[Movement], *, linked_late: bool = False, now: datetime
) -> None:
    """To be called when the orders that moved these are stored, and before their listings' bases are.

    `linked_late`: they had waited for a link.
    """
    falls = _falls(movements)
    if not falls:
        return
    new = await oversells.open_incidents(tx, falls, at=now)
    opened = [fall for fall in falls if fall.product_id in new]
    if not opened:
        return
    together = {each.order_id for each in movements if each.order_id is not None}
    found = await oversells.explain(tx, opened, together=together, linked_late=linked_late, at=now)
    causes = [
        (new[product_id], rules.cause(each.crossing), each.shop_id, each.other_shop_id)
        for product_id, each in found.items()
    ]
    await oversells.note(tx, causes)


async def recovered(tx: Tx, movements: Sequence[Movement]) -> None:
    """Totals that are zero or above again."""
    last = {each.product_id: each for each in movements}
    was_below = {each.product_id for each in movements if each.before < 0}
    risen = [product_id for product_id in was_below if last[product_id].after >= 0]
    if risen:
        await oversells.close(tx, risen)


def _falls(movements: Sequence[Movement]) -> list[Fall]:
    """Of each product that ends below zero the first order's movement that left it there."""
    last = {each.product_id: each for each in movements}
    falls: dict[object, Fall] = {}
    for each in movements:
        below = each.after < 0 and last[each.product_id].after < 0
        if below and each.cause is Cause.ORDER and each.order_id is not None:
            units = -last[each.product_id].after
            fall = Fall(each.product_id, each.version, each.order_id, -each.delta, units)
            falls.setdefault(each.product_id, fall)
    return list(falls.values())
