"""Warning before a credential or a consent lapses: once at each mark, and closing by itself when it is renewed.

That it has lapsed is said too, at level 8: what halts the shop is the mall's own refusal.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from domain.model import expiry
from domain.model.diff import HALTED_STATES
from domain.model.sync_errors import Part, SyncErrorKind, group_key
from domain.services import sync_errors as reporting
from domain.store import shops, sync_errors
from domain.store.database import Tx
from domain.store.shops import Shop

DAYS = "days"


async def warn_of(tx: Tx, shop_id: UUID, *, now: datetime) -> None:
    """Looks at one shop's credentials; says what is new and closes what is over. A halted shop says it already."""
    shop = await shops.lock(tx, shop_id)
    if shop is None:
        return
    found = expiry.warnings(shop.mall, await shops.expiries(tx, shop_id), now)
    for kind in expiry.KINDS:
        await _tell(tx, shop, kind, found, now)


async def _tell(
    tx: Tx, shop: Shop, kind: SyncErrorKind, found: Mapping[SyncErrorKind, int], now: datetime
) -> None:
    days = found.get(kind)
    if days is None:
        await reporting.resolve(tx, shop.id, (kind,), part=Part.CREDENTIALS, now=now)
        return
    cause = group_key(kind, shop.id, part=Part.CREDENTIALS)
    told = await sync_errors.fact(tx, cause, DAYS)
    if told != str(days) and not (days == 0 and shop.state in HALTED_STATES):
        await reporting.report(
            tx,
            kind,
            shop_id=shop.id,
            shop_name=shop.name,
            part=Part.CREDENTIALS,
            facts={DAYS: days},
            now=now,
        )
