"""遮断器: what each call of a shop says of how its mall is."""

from datetime import datetime

from domain.model import breaker
from domain.model.errors import MallError
from domain.services import shops
from domain.store import shops as shop_rows
from domain.store.database import Tx
from domain.store.shops import Shop


async def note(tx: Tx, shop: Shop, error: MallError | None, now: datetime) -> None:
    """How many calls of the locked shop in a row have failed by now; from some on it is left alone."""
    failed_calls = breaker.after_call(shop.failed_calls, error)
    if failed_calls == shop.failed_calls:
        return
    await shop_rows.change(tx, shop.id, failed_calls=failed_calls)
    closed_for = breaker.closed_for(failed_calls, error) if error else None
    if closed_for is not None:
        until = shop.at_its_pace(now + closed_for, now)
        await shop_rows.change(tx, shop.id, paused_until=until)
    if breaker.is_tripped(failed_calls) or breaker.is_tripped(shop.failed_calls):
        shops.announce(tx, shop.id)
