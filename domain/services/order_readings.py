"""What a page of orders tells that was not known before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.model import order_readings as rules
from domain.model.malls import MallOrder, OrderPage
from domain.model.order_readings import LastRead
from domain.model.orders import fingerprint
from domain.store import order_readings
from domain.store.database import Tx


async def news(tx: Tx, shop_id: UUID, page: OrderPage, *, within: timedelta) -> Sequence[MallOrder]:
    """The orders that say something new. Of the others it is noted that they were seen again, where that was not done
    `within` this time. The shop's turn must have been taken."""
    numbers = [*(order.number for order in page.orders), *page.unchanged]
    known = await order_readings.last(tx, shop_id, numbers)
    new = [order for order in page.orders if not _is_known(known.get(order.number), order)]
    told = {order.number for order in new}
    again = [number for number in numbers if number in known and number not in told]
    await _note(tx, shop_id, {number: known[number] for number in again}, page.observed_at, within)
    return new


def _is_known(last: LastRead | None, order: MallOrder) -> bool:
    return last is not None and last.fingerprint == fingerprint(order)


async def _note(
    tx: Tx, shop_id: UUID, again: dict[str, LastRead], at: datetime, within: timedelta
) -> None:
    worth = [number for number, last in again.items() if rules.is_worth_noting(last, at, within)]
    await order_readings.seen_again(tx, shop_id, worth, at)
