"""Linking listings to products and taking them apart again.

Whoever changes links of a shop, or takes in its orders, takes the shop's turn first: an order never meets a link that is
being made. Then the products are locked, so that no number moves past a link that is not seen yet (DESIGN §2.11).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.links import LinkReason, LinkState, ShopLink, conflicts
from domain.model.sync_errors import SyncErrorKind
from domain.services import edits, sync_errors
from domain.services.edits import Refused
from domain.services.orders import take_stored
from domain.store import links, logs, orders, sets, shops, stock, sync
from domain.store.database import Tx
from domain.store.links import KnownLink, NewLink

ORDERS_AT_ONCE = 1_000
LINKS_AT_ONCE = 5_000
GONE_WITH_THE_LINK = (*sync_errors.OF_ONE_ITEM, SyncErrorKind.MULTIPLE_LISTINGS)


@dataclass(frozen=True, slots=True)
class LinkChange:
    """`listing_ids` are linked, or unlinked, now; `products` whose listings are others by that; what was refused, by
    listing; the job to follow where reflecting was asked for."""

    listing_ids: tuple[UUID, ...]
    products: frozenset[UUID]
    refused: tuple[Refused, ...]
    job_id: UUID | None = None


async def link(
    tx: Tx,
    actor: Actor,
    pairs: Sequence[tuple[UUID, UUID]],
    *,
    copy_page: bool = False,
    reflect: bool | None = None,
    now: datetime,
) -> LinkChange:
    """Links each (listing, product); a listing that was linked elsewhere moves.

    Two listings of a shop on one product contradict each other until one is unlinked, or linked with `copy_page`. Orders
    that waited for a link are taken in. Refused: NOT_FOUND; INVALID_VALUE for a listing that is named twice.
    """
    known = await held(tx, [listing_id for listing_id, _ in pairs])
    products = await lock_with_parts(
        tx, [*{product for _, product in pairs}, *_products(known.values())]
    )
    await hold(tx, known, products)
    meant, refused = _checked(pairs, known, products)
    made = [
        _linked(known[listing_id], product_id, copy_page=copy_page)
        for listing_id, product_id in meant.items()
    ]
    await links.save(tx, made, actor.as_json(), at=now)
    moved = [
        each for each in map(known.__getitem__, meant) if meant[each.listing_id] != each.product_id
    ]
    await _mend(tx, moved, (SyncErrorKind.MULTIPLE_LISTINGS,), now)
    await _log(tx, actor, "LINK_LISTINGS", made, known)
    touched = frozenset({*meant.values(), *_products(known[each] for each in meant)})
    turned = await settle_conflicts(tx, touched, now=now)
    await take_waiting(tx, list(meant), now=now)
    job_id = await edits.edited(tx, actor, {*meant, *turned}, reflect, now=now)
    return LinkChange(tuple(meant), touched, refused, job_id)


async def link_by_code(
    tx: Tx, actor: Actor, shop_id: UUID, wanted: Mapping[UUID, NewLink], *, now: datetime
) -> tuple[dict[UUID, UUID], dict[UUID, LinkState]]:
    """By listing of this shop, the link that a code asks for; made where the listing is unlinked, and not by hand.

    Answers the products of those that are linked now, and which links are in conflict by that, or are no more.
    """
    if not wanted:
        return {}, {}
    await orders.take_turn(tx, [shop_id])
    links_now = await links.find(tx, wanted)
    there = await lock_with_parts(
        tx, {link.product_id for link in wanted.values() if link.product_id}
    )
    new = [
        link
        for link in wanted.values()
        if link.product_id in there and links_now[link.listing_id].state is LinkState.UNLINKED
    ]
    for start in range(0, len(new), LINKS_AT_ONCE):
        await links.save(tx, new[start : start + LINKS_AT_ONCE], actor.as_json(), at=now)
    linked = {link.listing_id: link.product_id for link in new if link.product_id}
    return linked, await settle_conflicts(tx, set(linked.values()), now=now)


async def unlink(tx: Tx, actor: Actor, listing_ids: Sequence[UUID], *, now: datetime) -> LinkChange:
    """Takes listings off their products; no import links them again. Refused: NOT_FOUND."""
    known = await held(tx, listing_ids)
    await stock.lock(tx, _products(known.values()))
    await hold(tx, known, _products(known.values()))
    await cut(tx, actor, list(known.values()), LinkState.UNLINKED_BY_HAND, now=now)
    cuts = [NewLink(listing_id, None, LinkState.UNLINKED_BY_HAND) for listing_id in known]
    await _log(tx, actor, "UNLINK_LISTINGS", cuts, known)
    touched = frozenset(_products(known.values()))
    turned = await settle_conflicts(tx, touched, now=now)
    await edits.edited(tx, actor, {*known, *turned}, None, now=now)
    refused = edits.missing(listing_ids, known, "listing")
    return LinkChange(tuple(known), touched, refused)


async def cut(
    tx: Tx, actor: Actor, known: Collection[KnownLink], state: LinkState, *, now: datetime
) -> None:
    """These listings belong to nothing now: what was wrong with them is no matter any more. What a person unlinked
    stays so. `hold` them first."""
    by_hand = LinkState.UNLINKED_BY_HAND
    cuts = [
        NewLink(each.listing_id, None, by_hand if each.state is by_hand else state)
        for each in known
    ]
    await links.save(tx, cuts, actor.as_json(), at=now)
    await _mend(tx, known, GONE_WITH_THE_LINK, now)


async def settle_conflicts(
    tx: Tx, product_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, LinkState]:
    """Finds which listings of these products contradict each other now, opens and closes the error that says so, and
    answers those for which that is new. The products must be locked."""
    found = await links.of_products(tx, product_ids)
    contradicting = {
        each.listing_id for group in conflicts(map(_shop_link, found)) for each in group
    }
    turned = [each for each in found if each.state is not _state(each.listing_id in contradicting)]
    states = {each.listing_id: _state(each.listing_id in contradicting) for each in turned}
    await links.set_states(tx, states)
    opened = [each for each in turned if states[each.listing_id] is LinkState.CONFLICT]
    for those in _by_shop(opened).values():
        await _report(tx, those, now)
    closed = [each for each in turned if states[each.listing_id] is LinkState.LINKED]
    await _mend(tx, closed, (SyncErrorKind.MULTIPLE_LISTINGS,), now)
    return states


async def take_waiting(tx: Tx, listing_ids: Sequence[UUID], *, now: datetime) -> None:
    """Orders that came before these listings' links are taken in (DESIGN §3, initial order fetch)."""
    for shop_id, numbers in (await orders.unlinked_orders(tx, listing_ids)).items():
        shop = await shops.get(tx, shop_id)
        assert shop is not None
        for start in range(0, len(numbers), ORDERS_AT_ONCE):
            await take_stored(tx, shop, numbers[start : start + ORDERS_AT_ONCE], now=now)


async def hold(tx: Tx, listing_ids: Collection[UUID], product_ids: Collection[UUID] = ()) -> None:
    """Locks the rows of these listings, and of all that show these products, before any error of theirs is touched: that
    is the order in which pushes settle. The products must be locked."""
    showing = await sync.listings_showing(tx, product_ids) if product_ids else []
    await sync.lock(tx, {*listing_ids, *showing})


async def lock_with_parts(tx: Tx, product_ids: Collection[UUID]) -> set[UUID]:
    """Those of the products that there are, held until commit together with the parts of sets among them."""
    parts = await sets.part_ids(tx, product_ids)
    there = await stock.lock(tx, {*product_ids, *parts})
    return {product_id for product_id in product_ids if product_id in there}


async def held(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, KnownLink]:
    """The links of these listings, which nobody else changes until commit."""
    shop_ids = {each.shop_id for each in (await links.find(tx, listing_ids)).values()}
    await orders.take_turn(tx, shop_ids)
    return await links.find(tx, listing_ids)


def _products(known: Iterable[KnownLink]) -> set[UUID]:
    return {each.product_id for each in known if each.product_id is not None}


def _checked(
    pairs: Sequence[tuple[UUID, UUID]], known: Mapping[UUID, KnownLink], products: Collection[UUID]
) -> tuple[dict[UUID, UUID], tuple[Refused, ...]]:
    """The product that each listing is to have, and what was refused."""
    meant: dict[UUID, UUID] = {}
    refused = []
    for index, (listing_id, product_id) in enumerate(pairs):
        error = _refusal(index, listing_id, product_id, known, products, meant)
        if error is None:
            meant[listing_id] = product_id
        else:
            refused.append(Refused(listing_id, error))
    return meant, tuple(refused)


def _refusal(
    index: int,
    listing_id: UUID,
    product_id: UUID,
    known: Mapping[UUID, KnownLink],
    products: Collection[UUID],
    meant: Mapping[UUID, UUID],
) -> DomainError | None:
    place = ("pairs", str(index))
    if listing_id not in known:
        return edits.not_found("listing", *place, "listingId")
    if product_id not in products:
        return edits.not_found("product", *place, "productId")
    if meant.get(listing_id, product_id) != product_id:
        return DomainError("A listing belongs to one product. Name it once.", field=place)
    return None


def _linked(known: KnownLink, product_id: UUID, *, copy_page: bool) -> NewLink:
    """A link that stays the same keeps its conflict, until that is looked at."""
    same = known.product_id == product_id
    state = known.state if same else LinkState.LINKED
    return NewLink(known.listing_id, product_id, state, LinkReason.BY_HAND, copy_page)


def _shop_link(known: KnownLink) -> ShopLink:
    assert known.product_id is not None
    return ShopLink(known.listing_id, known.shop_id, known.product_id, known.copy_page)


def _state(contradicts: bool) -> LinkState:
    return LinkState.CONFLICT if contradicts else LinkState.LINKED


async def _mend(
    tx: Tx, well: Iterable[KnownLink], kinds: Collection[SyncErrorKind], now: datetime
) -> None:
    for shop_id, those in _by_shop(well).items():
        listing_ids = [each.listing_id for each in those]
        await sync_errors.mended(tx, shop_id, listing_ids, kinds=kinds, now=now)


async def _report(tx: Tx, opened: Sequence[KnownLink], now: datetime) -> None:
    """One error a shop, with the listings that it is about."""
    await sync_errors.report(
        tx,
        SyncErrorKind.MULTIPLE_LISTINGS,
        shop_id=opened[0].shop_id,
        shop_name=opened[0].shop_name,
        listing_ids=[each.listing_id for each in opened],
        count=len(_products(opened)),
        now=now,
    )


def _by_shop(known: Iterable[KnownLink]) -> dict[UUID, list[KnownLink]]:
    by_shop: defaultdict[UUID, list[KnownLink]] = defaultdict(list)
    for each in known:
        by_shop[each.shop_id].append(each)
    return by_shop


async def _log(
    tx: Tx,
    actor: Actor,
    action: str,
    made: Sequence[NewLink],
    known: Mapping[UUID, KnownLink],
) -> None:
    targets = [
        (
            each.listing_id,
            {"before": known[each.listing_id].product_id, "after": each.product_id},
        )
        for each in made
    ]
    await logs.operation(tx, actor.as_json(), action, "LISTING", targets)
