"""Whether the numbers that wait at a shop go out in bulk (DESIGN §2.6): never those to zero, nor those that fall."""

from datetime import datetime

from domain.model import breaker
from domain.model.feeds import REST
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import FeedLimits
from domain.store import feeds
from domain.store.database import Tx
from domain.store.feeds import MayGo
from domain.store.shops import Shop

FEED = "FEED"
"""The bell of a shop whose feed is to be looked after."""


async def gathers(tx: Tx, shop: Shop, *, now: datetime) -> bool:
    """Do the numbers after all that is urgent wait for a feed, because one is being put together, or is worth it now?

    Orders have to be known well enough for them to go out at all. A mall that failed one call after the other is tried with
    one number first.
    """
    limits = MALL_SPECS[shop.mall].capabilities.feed
    if limits is None or breaker.is_tripped(shop.failed_calls):
        return False
    opened, goes_on = await feeds.gathers(
        tx,
        shop.id,
        may_go(shop, limits, now),
        least=limits.least,
        rested=REST / max(shop.speed, 1),
    )
    if opened:
        tx.ring(shop.id, FEED)
    return opened or goes_on


def may_go(shop: Shop, limits: FeedLimits, now: datetime) -> MayGo:
    return MayGo(limits.above, now, shop.watermark, shop.fetches_orders)
