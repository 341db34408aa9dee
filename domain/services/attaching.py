"""一括更新: 取り扱いショップ Listings made for products that there are, at a shop, without any file of its mall (A4.17)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.attaching import attached, check_attaches
from domain.model.errors import DomainError
from domain.model.links import LinkReason, LinkState
from domain.model.malls import ItemRef, MallListing
from domain.services import edits, links
from domain.services.edits import ListingChange, Refused
from domain.services.listings import listing_row
from domain.services.shops import known
from domain.store import links as link_store
from domain.store import listings, logs, orders, products, sync
from domain.store.database import Tx
from domain.store.links import NewLink
from domain.store.products import Product
from domain.store.shops import Shop


async def attach(
    tx: Tx, actor: Actor, shop_id: UUID, product_ids: Sequence[UUID], *, now: datetime
) -> ListingChange:
    """A listing for each product at the shop, by the product's code, linked; its number waits to be reflected as any
    edit. The 連携 tick of a new one is as the account says; a deleted one comes back as it was.

    Raises DomainError NOT_FOUND or NOT_SUPPORTED_BY_MALL. Refused products: NOT_FOUND; CODE_TAKEN where the shop lists
    the product, or the code, already; INVALID_VALUE for a code that the mall cannot have.
    """
    shop = await known(tx, shop_id)
    check_attaches(shop.mall, shop.match_key)
    await orders.take_turn(tx, [shop_id])
    there = await links.lock_with_parts(tx, product_ids)
    found = await products.lock(tx, there)
    listed = {
        each.product_id
        for each in await link_store.of_products(tx, there)
        if each.shop_id == shop_id
    }
    made, refused = await _checked(tx, shop, found, listed)
    ids = await _make(tx, shop, actor, made, now)
    await _log(tx, actor, shop, ids, found)
    turned = await links.settle_conflicts(tx, set(made), now=now)
    await links.take_waiting(tx, list(ids), now=now)
    await edits.edited(tx, actor, {*ids, *turned}, None, now=now)
    refused += edits.missing(product_ids, found, "product")
    place = {product_id: nth for nth, product_id in enumerate(product_ids)}
    return ListingChange(tuple(ids), tuple(sorted(refused, key=lambda each: place[each.target_id])))


async def _checked(
    tx: Tx, shop: Shop, found: Mapping[UUID, Product], listed: set[UUID | None]
) -> tuple[dict[UUID, MallListing], list[Refused]]:
    """By product the listing it is to have, and the products that cannot have one."""
    wanted: dict[UUID, MallListing] = {}
    refused: list[Refused] = []
    for product in found.values():
        try:
            wanted[product.id] = _wanted(shop, product, product.id in listed)
        except DomainError as error:
            refused.append(Refused(product.id, error))
    taken = await listings.alive(tx, shop.id, [each.ref for each in wanted.values()])
    for product_id in [each for each, listing in wanted.items() if listing.ref in taken]:
        code = wanted.pop(product_id).ref.item_code
        refused.append(Refused(product_id, _taken(shop, code)))
    return wanted, refused


def _wanted(shop: Shop, product: Product, listed: bool) -> MallListing:
    if listed:
        raise DomainError(
            f"{shop.name} lists {product.code} already.",
            code="CODE_TAKEN",
            listed=product.code,
            shop=shop.name,
        )
    return attached(shop.mall, shop.match_key, product.code)


def _taken(shop: Shop, code: str) -> DomainError:
    return DomainError(
        f"{shop.name} has a listing {code} already. Link it to the product.",
        code="CODE_TAKEN",
        page=code,
        shop=shop.name,
    )


async def _make(
    tx: Tx, shop: Shop, actor: Actor, made: Mapping[UUID, MallListing], now: datetime
) -> dict[UUID, UUID]:
    """By listing, its product."""
    written = await listings.write(tx, shop.id, [listing_row(shop, each) for each in made.values()])
    await link_store.open_rows(tx, written.created)
    await sync.open_rows(tx, [(each, shop.id, None) for each in written.created])
    by_ref: dict[ItemRef, UUID] = {listing.ref: product for product, listing in made.items()}
    kept = await listings.known(tx, shop.id, list(by_ref))
    linked = {each.id: by_ref[each.ref] for each in kept}
    new = [
        NewLink(listing_id, product_id, LinkState.LINKED, LinkReason.BY_HAND)
        for listing_id, product_id in linked.items()
    ]
    await link_store.save(tx, new, actor.as_json(), at=now)
    return linked


async def _log(
    tx: Tx, actor: Actor, shop: Shop, ids: Mapping[UUID, UUID], found: Mapping[UUID, Product]
) -> None:
    targets = [
        (listing_id, {"shop": shop.name, "code": found[product_id].code, "product": product_id})
        for listing_id, product_id in ids.items()
    ]
    await logs.operation(tx, actor.as_json(), "ATTACH_LISTINGS", "LISTING", targets)
