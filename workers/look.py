"""Looking at one shop because a bell or the clock says so; what there is to do is read from its rows."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from uuid import UUID

import structlog

from workers.check_shop import check_shop
from workers.context import Context
from workers.import_orders import fetch_orders
from workers.read_back import read_back
from workers.reflect import push_waiting

Work = Callable[[Context, UUID, UUID], Awaitable[None]]

WORK: Mapping[str, Work] = MappingProxyType(
    {"ORDERS": fetch_orders, "REFLECT": push_waiting, "READ_BACK": read_back, "CHECK": check_shop}
)

log = structlog.get_logger(__name__)


async def look(ctx: Context, account_id: UUID, shop_id: UUID, work: str) -> None:
    """One at a time in this process: whoever comes meanwhile has the one at work look once more."""
    key = (shop_id, work)
    if key in ctx.looks:
        ctx.looks[key] = True
        return
    try:
        ctx.looks[key] = True
        while ctx.looks[key]:
            ctx.looks[key] = False
            await _look(ctx, account_id, shop_id, work)
    finally:
        del ctx.looks[key]


async def _look(ctx: Context, account_id: UUID, shop_id: UUID, work: str) -> None:
    """A failure of ours is logged and left to the next look: the rows still say what is to be done."""
    try:
        await WORK[work](ctx, account_id, shop_id)
    except Exception:
        log.exception("work_failed", account=str(account_id), shop=str(shop_id), work=work)
