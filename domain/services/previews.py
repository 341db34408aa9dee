"""先に見る: what a change would do to the malls, counted as it would be done. Nothing is changed here."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from domain.model.diff import NotPushed
from domain.model.previews import Preview, ShopPreview
from domain.model.shops import SyncPart
from domain.services import edits
from domain.services.sync import Why
from domain.store import previews, sets, shops
from domain.store.database import Tx
from domain.store.previews import Scope
from domain.store.shops import Shop


async def of_reflect(
    tx: Tx,
    *,
    product_ids: Sequence[UUID] = (),
    listing_ids: Sequence[UUID] = (),
    shop_ids: Sequence[UUID] | None = None,
) -> Preview:
    """Numbers that are asked for go out, also where the mall seems to show them already."""
    if not (product_ids or listing_ids):
        return Preview()
    return await _seen(tx, Scope(listing_ids, product_ids, sets=True, shops=shop_ids, asked=True))


async def of_full_sync(tx: Tx, shop_ids: Sequence[UUID]) -> Preview:
    """Every listing of these shops. Raises DomainError NOT_FOUND."""
    await _known(tx, shop_ids)
    return await _seen(tx, Scope(shops=shop_ids))


async def of_sync_on(tx: Tx, listing_ids: Sequence[UUID]) -> Preview:
    """連携: the tick goes on where it is off, and what then differs goes out."""
    if not listing_ids:
        return Preview()
    return await _seen(tx, Scope(listing_ids, lifted=NotPushed.LISTING_SYNC_OFF))


async def of_unlink(tx: Tx, listing_ids: Sequence[UUID]) -> Preview:
    """What is linked follows nothing any more; its mall keeps what it shows. What contradicted it may rise then, where
    edits go out by themselves."""
    if not listing_ids:
        return Preview()
    seen = await _seen(tx, Scope(listing_ids, cut=True))
    freed = await previews.freed(tx, listing_ids)
    if not freed or await edits.why(tx, None) is Why.EDITED:
        return seen
    return seen.beside(await _seen(tx, Scope(freed, lifted=NotPushed.LINK_CONFLICT)))


async def of_delete(tx: Tx, product_ids: Sequence[UUID]) -> Preview:
    """As of_unlink, of the listings of these products; parts of sets that stay are not deleted."""
    kept = await sets.holding(tx, product_ids, but=product_ids)
    going = [each for each in product_ids if each not in kept]
    return await _seen(tx, Scope(products=going, cut=True)) if going else Preview()


async def of_start(
    tx: Tx, shop_ids: Sequence[UUID] | None, parts: Collection[SyncPart] = ()
) -> Preview:
    """Shops are switched on, both parts unless some are named; None: the account's master switch.

    Raises DomainError NOT_FOUND.
    """
    if shop_ids is None:
        return await _seen(tx, Scope(lifted=NotPushed.MASTER_STOPPED))
    started = await _known(tx, shop_ids)
    seen = Preview()
    if not parts or SyncPart.REFLECT in parts:
        seen = await _seen(tx, Scope(shops=shop_ids, lifted=NotPushed.SHOP_REFLECT_STOPPED))
    if not parts or SyncPart.ORDERS in parts:
        return _with_orders(seen, started)
    return seen


async def _known(tx: Tx, shop_ids: Sequence[UUID]) -> list[Shop]:
    known = {shop.id: shop for shop in await shops.every(tx)}
    for place, shop_id in enumerate(shop_ids):
        if shop_id not in known:
            raise edits.not_found("shop", "shop_ids", str(place))
    return [known[shop_id] for shop_id in sorted(set(shop_ids))]


async def _seen(tx: Tx, scope: Scope) -> Preview:
    counts = await previews.counts(tx, scope)
    changes = any(each.changed for each in counts)
    return Preview(tuple(counts), tuple(await previews.sample(tx, scope)) if changes else ())


def _with_orders(seen: Preview, started: Collection[Shop]) -> Preview:
    """Their orders are read again, from where they were left."""
    counts = {each.shop_id: each for each in seen.shops}
    told = [
        replace(
            counts.get(shop.id) or ShopPreview(shop.id),
            orders_off=False,
            orders_since=None if shop.orders_running else shop.watermark,
        )
        for shop in started
    ]
    return replace(seen, shops=tuple(told))
