"""Taking in what a shop lists, from its mall's files or its catalogue, and taking it out again.

An import says what there is and what the mall shows. It never sets a total (A3.8), never makes a second row of what is
there, and never links again what a person unlinked. A hundred thousand listings are a few dozen statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from domain.model.actors import Actor
from domain.model.base import CLOCK_ERROR, after_file
from domain.model.links import LinkState, fold, link_on_import, match_code
from domain.model.mall_fields import FieldChange, checked_change, travelling
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallListing, MallTime
from domain.services import edits, links, product_names
from domain.services.products import folded
from domain.services.sync import Change, Why, reconsider
from domain.store import code_mappings, listing_fields, listings, logs, products, sync
from domain.store import links as link_store
from domain.store.database import Tx
from domain.store.links import NewLink
from domain.store.listing_fields import NewField
from domain.store.listings import KnownListing, ListingRow
from domain.store.products import NewProduct
from domain.store.shops import Shop
from domain.store.sync import SyncRow

ROWS_AT_ONCE = 5_000
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
NO_FIELDS: Mapping[str, str] = MappingProxyType({})

Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Listings made, changed, newly linked and newly in conflict; products made; codes for which the plan had no room.

    A listing above the limit is there, unlinked: the next import links it when there is room.
    """

    created: int
    updated: int
    linked: int
    conflicts: int
    products_created: int
    above_limit: int


@dataclass(slots=True)
class _Import:
    """How far one import is. `mapped`: what the code table says of the shop's codes. `new_products`: by code; their
    first number is always an edit (small decision 1)."""

    known: list[KnownListing] = field(default_factory=list)
    mapped: Mapping[str, str] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    new_products: dict[str, UUID] = field(default_factory=dict)
    above_limit: int = 0
    linked: dict[UUID, UUID] = field(default_factory=dict)
    turned: dict[UUID, LinkState] = field(default_factory=dict)

    @property
    def conflicts(self) -> int:
        return sum(state is LinkState.CONFLICT for state in self.turned.values())


async def import_listings(
    tx: Tx,
    actor: Actor,
    shop: Shop,
    found: Sequence[MallListing],
    *,
    seen_at: MallTime | None,
    create_products: bool,
    link: bool,
    fields_of_new: Mapping[str, str] = NO_FIELDS,
    now: datetime,
) -> ImportResult:
    """Keeps each listing by its mall's code; of a code that comes twice the last counts.

    `seen_at`: the mall's time at which the quantities were true; None: nobody knows. `link`: listings are linked by the
    code table, or by equal code. `create_products`: codes without a product get one, as far as the plan goes.
    `fields_of_new`: what travels with the stock of listings that come in new (A10.4); it goes out with their next number.

    Raises DomainError NOT_SUPPORTED_BY_MALL or INVALID_VALUE for a field that the mall does not take.
    """
    chosen = _checked_fields(shop, fields_of_new)
    await listings.plan_afresh(tx)
    by_ref = {listing.ref: listing for listing in found}
    done = await _keep(tx, actor, shop, list(by_ref.values()), chosen)
    codes = {listing.match_code for listing in _waiting(done)}
    done.mapped = await code_mappings.of_codes(tx, shop.id, codes)
    if create_products:
        await _make_products(tx, done)
    if link:
        await _link(tx, actor, shop, done, now)
    await _name_products(tx, shop, done)
    await _note_quantities(tx, done, by_ref, _when(shop, seen_at, now), now)
    await links.take_waiting(tx, list(done.linked), now=now)
    result = _result(done)
    await _log(tx, actor, shop, result)
    return result


async def delete_listings(
    tx: Tx, actor: Actor, listing_ids: Sequence[UUID], *, now: datetime
) -> edits.ListingChange:
    """Takes listings out of the tool; the mall keeps them and their numbers. A code that is imported again comes back,
    unlinked where a person had unlinked it (small decision 9). Refused: NOT_FOUND."""
    known = await links.held(tx, listing_ids)
    touched = {each.product_id for each in known.values() if each.product_id is not None}
    await links.lock_with_parts(tx, touched)
    await links.hold(tx, known, touched)
    await links.cut(tx, actor, list(known.values()), LinkState.UNLINKED, now=now)
    await listings.delete(tx, list(known), at=now)
    targets: list[tuple[UUID | None, Mapping[str, object]]] = [
        (each.listing_id, {"product": each.product_id}) for each in known.values()
    ]
    await logs.operation(tx, actor.as_json(), "DELETE_LISTINGS", "LISTING", targets)
    turned = await links.settle_conflicts(tx, touched, now=now)
    await edits.edited(tx, actor, {*known, *turned}, None, now=now)
    return edits.ListingChange(tuple(known), edits.missing(listing_ids, known, "listing"))


def _checked_fields(shop: Shop, fields: Mapping[str, str]) -> list[FieldChange]:
    return [
        checked_change(shop.mall, FieldChange(key, value, sets_value=True))
        for key, value in fields.items()
    ]


async def _set_fields(
    tx: Tx, actor: Actor, created: Sequence[UUID], chosen: Sequence[FieldChange]
) -> None:
    fields = [
        NewField(listing_id, change.key, change.value, sets_value=True, owner=None)
        for listing_id in created
        for change in chosen
    ]
    await listing_fields.set_fields(tx, fields, actor.as_json(), sets_value=True, sets_owner=False)


async def _keep(
    tx: Tx,
    actor: Actor,
    shop: Shop,
    found: Sequence[MallListing],
    chosen: Sequence[FieldChange],
) -> _Import:
    done = _Import()
    for some in _parts(found):
        written = await listings.write(
            tx, shop.id, [listing_row(shop, listing) for listing in some]
        )
        told = {listing.ref: _travelling(shop, listing) for listing in some}
        await listing_fields.follow_file(tx, shop.id, told)
        await _set_fields(tx, actor, written.created, chosen)
        await link_store.open_rows(tx, written.created)
        await sync.open_rows(tx, [(each, shop.id, None) for each in written.created])
        done.known += await listings.known(tx, shop.id, [listing.ref for listing in some])
        done.created += len(written.created)
        done.updated += written.updated
    return done


def listing_row(shop: Shop, listing: MallListing) -> ListingRow:
    """Found by any of its codes, and by its name."""
    code = match_code(listing.keys, shop.match_key or MALL_SPECS[shop.mall].match_keys[:1])
    codes = dict.fromkeys([listing.ref.item_code, listing.ref.variant_code, code])
    return ListingRow(listing, code, fold(" ".join([*filter(None, codes), listing.name])))


def _travelling(shop: Shop, listing: MallListing) -> Mapping[str, str]:
    """What a file says of the fields that travel with stock."""
    keys = travelling(shop.mall)
    return {key: value for key, value in listing.fields.items() if key in keys}


async def _make_products(tx: Tx, done: _Import) -> None:
    """One for each code that has none, in the order of the file, as long as the plan has room."""
    catalogue = await products.hold_catalogue(tx)
    names: dict[str, str] = {}
    for listing in _waiting(done):
        code = done.mapped.get(listing.match_code, listing.match_code)
        names.setdefault(code, listing.name)
    there = await products.by_code(tx, names)
    missing = [code for code in names if code not in there]
    fitting = missing[: catalogue.room]
    done.above_limit = len(missing) - len(fitting)
    for some in _parts(fitting):
        rows = [NewProduct(code, names[code], folded(code, names[code])) for code in some]
        done.new_products |= await products.add(tx, rows)


async def _link(tx: Tx, actor: Actor, shop: Shop, done: _Import, now: datetime) -> None:
    wanted = await _wanted(tx, done)
    done.linked, done.turned = await links.link_by_code(tx, actor, shop.id, wanted, now=now)


async def _wanted(tx: Tx, done: _Import) -> dict[UUID, NewLink]:
    """By listing, the link that the code table or its own code asks for."""
    waiting = _waiting(done)
    codes = {listing.match_code for listing in waiting}
    by_code = await products.by_code(tx, {*codes, *done.mapped.values()})
    found = {
        listing.id: link_on_import(listing.state, listing.match_code, by_code, done.mapped)
        for listing in waiting
    }
    return {
        listing_id: NewLink(listing_id, made[0], LinkState.LINKED, made[1])
        for listing_id, made in found.items()
        if made is not None
    }


def _waiting(done: _Import) -> list[KnownListing]:
    """Listings that may be linked by their code."""
    return [each for each in done.known if each.state is LinkState.UNLINKED and each.match_code]


async def _name_products(tx: Tx, shop: Shop, done: _Import) -> None:
    """The base shop names the products, another shop those without a name; never one that a person named."""
    is_base = await products.base_shop(tx) == shop.id
    names: dict[UUID, str] = {}
    for listing in done.known:
        product_id = done.linked.get(listing.id, listing.product_id)
        if product_id is not None and listing.name:
            names.setdefault(product_id, listing.name)
    await product_names.rename(tx, names, even_named=is_base)


async def _note_quantities(
    tx: Tx, done: _Import, by_ref: Mapping[ItemRef, MallListing], at: MallTime, now: datetime
) -> None:
    """What the mall shows; and the first number of what is linked now. Nothing is sent because a file says so."""
    quantities = {each.id: by_ref[each.ref].quantity for each in done.known}
    change = _with_quantities(quantities, at)
    why = await edits.why(tx, None)
    new = set(done.new_products.values())
    for some in _parts(sorted({*quantities, *done.turned})):
        await sync.lock(tx, some)
        first = {each for each in some if done.linked.get(each) in new}
        edited = {each for each in some if each in done.linked or each in done.turned} - first
        others = set(some) - first - edited
        await reconsider(tx, first, Why.EDITED, now=now, change=change)
        await reconsider(tx, edited, why, now=now, change=change)
        await reconsider(tx, others, Why.LOOKED, now=now, change=change)


def _with_quantities(quantities: Mapping[UUID, int | None], at: MallTime) -> Change:
    def change(row: SyncRow) -> SyncRow:
        quantity = quantities.get(row.listing_id)
        return row if quantity is None else replace(row, base=after_file(row.base, quantity, at))

    return change


def _when(shop: Shop, seen_at: MallTime | None, now: datetime) -> MallTime:
    return seen_at or MallTime(LONG_AGO, now + shop.clock_offset + CLOCK_ERROR)


def _result(done: _Import) -> ImportResult:
    return ImportResult(
        done.created,
        done.updated,
        len(done.linked),
        done.conflicts,
        len(done.new_products),
        done.above_limit,
    )


async def _log(tx: Tx, actor: Actor, shop: Shop, result: ImportResult) -> None:
    await logs.operation(
        tx, actor.as_json(), "IMPORT_LISTINGS", "SHOP", [(shop.id, asdict(result))]
    )


def _parts(many: Sequence[Each]) -> Iterator[Sequence[Each]]:
    """As many as go into one statement."""
    for start in range(0, len(many), ROWS_AT_ONCE):
        yield many[start : start + ROWS_AT_ONCE]
