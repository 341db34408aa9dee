"""モールにない商品コード: codes that a mall takes numbers for and does not know (DESIGN §2.8).

Some malls accept a number for whatever code they are told. Only a look at what they show tells that nothing stands there:
such a listing is not pushed any more, and says so, until the mall is seen to know it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.malls import StockReading
from domain.model.sync_errors import SyncErrorKind
from domain.services import sync_errors
from domain.store import unknown_codes
from domain.store.database import Tx
from domain.store.shops import Shop

LOOK_AGAIN = timedelta(hours=1)
"""An item may be put up at the mall after its code was: it is looked for so often."""


async def learn(
    tx: Tx, shop: Shop, readings: Mapping[UUID, StockReading], *, now: datetime
) -> None:
    """Notes, by listing, which the mall knows. Call it before the listings are reconsidered."""
    if not readings:
        return
    unknown = {listing_id: not each.found for listing_id, each in readings.items()}
    changed = set(await unknown_codes.note(tx, unknown))
    lost = [listing_id for listing_id in changed if unknown[listing_id]]
    if lost:
        await sync_errors.report(
            tx,
            SyncErrorKind.UNKNOWN_AT_MALL,
            shop_id=shop.id,
            shop_name=shop.name,
            listing_ids=lost,
            count=len(lost),
            now=now,
        )
    known = [listing_id for listing_id in changed if not unknown[listing_id]]
    await sync_errors.mended(tx, shop.id, known, kinds=(SyncErrorKind.UNKNOWN_AT_MALL,), now=now)
