"""Products: made, changed, deleted. What changes their numbers is an edit (edits.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.links import LinkState, fold
from domain.model.stock import check_units
from domain.model.texts import MOST_NAME, checked_address, checked_text
from domain.services import edits, links
from domain.services.edits import Refused, Saved
from domain.services.sync import Why, reconsider
from domain.store import links as link_store
from domain.store import listings, logs, products, sets
from domain.store.database import Tx
from domain.store.products import NewProduct, Product


class ProductFields(TypedDict, total=False):
    """What may be changed; what is left out stays. `reserve` None: that of the group, else 0."""

    code: str
    name: str
    managed: bool
    reserve: int | None
    group_id: UUID | None
    image_url: str | None


@dataclass(frozen=True, slots=True)
class Deleted:
    ids: tuple[UUID, ...]
    refused: tuple[Refused, ...]


async def create(tx: Tx, code: str, name: str) -> UUID:
    """A single product at total 0, or the deleted one of this code with its history.

    Raises DomainError REQUIRED, INVALID_VALUE, CODE_TAKEN or PLAN_LIMIT.
    """
    code = checked_code(code)
    catalogue = await products.hold_catalogue(tx)
    if catalogue.room == 0:
        raise DomainError(
            f"The plan holds {catalogue.limit} products. Delete some, or raise the plan.",
            code="PLAN_LIMIT",
            limit=catalogue.limit,
        )
    made = await products.add(tx, [NewProduct(code, name, folded(code, name))])
    if code not in made:
        raise code_taken(code)
    return made[code]


async def save_product(
    tx: Tx,
    actor: Actor,
    product_id: UUID | None,
    *,
    expected_version: int | None = None,
    reflect: bool | None = None,
    now: datetime,
    **fields: Unpack[ProductFields],
) -> Saved:
    """Makes a product (without an id) or changes one.

    Raises DomainError NOT_FOUND, VERSION_CHANGED, REQUIRED, INVALID_VALUE, CODE_TAKEN or PLAN_LIMIT.
    """
    _check_reserve(fields.get("reserve"))
    await _hold(tx, fields.get("group_id"))
    if product_id is None:
        product_id = await create(tx, fields.get("code", ""), fields.get("name", ""))
    elif "code" in fields:
        await products.hold_catalogue(tx)
    before = await locked(tx, product_id, expected_version)
    after = await _changed(tx, before, fields)
    await products.save(tx, [after])
    await _log(tx, actor, "SAVE_PRODUCT", before, after)
    if _numbers(before) == _numbers(after):
        return Saved(product_id, None)
    job_id = await edits.products_edited(tx, actor, [product_id], reflect, now=now)
    return Saved(product_id, job_id)


async def delete_products(
    tx: Tx, actor: Actor, product_ids: Sequence[UUID], *, with_listings: bool, now: datetime
) -> Deleted:
    """Takes products out of the tool; malls keep their numbers. Ledger and logs stay, and the same code brings a
    product back with its history. Without `with_listings` its listings stay, unlinked.

    Refused: NOT_FOUND; PART_IN_USE where a set that is not deleted with it holds the product.
    """
    known = await products.lock(tx, product_ids)
    refused = _refusals(product_ids, known, await sets.holding(tx, list(known), but=list(known)))
    kept = {each.target_id for each in refused}
    going = [product for product in known.values() if product.id not in kept]
    ids = [product.id for product in going]
    linked = await link_store.of_products(tx, ids)
    await links.hold(tx, [each.listing_id for each in linked])
    await links.cut(tx, actor, linked, LinkState.UNLINKED, now=now)
    if with_listings:
        await listings.delete(tx, [each.listing_id for each in linked], at=now)
    await sets.clear(tx, ids)
    await products.delete(tx, ids, at=now)
    targets = [(each.id, {"code": each.code, "listings": with_listings}) for each in going]
    await logs.operation(tx, actor.as_json(), "DELETE_PRODUCTS", "PRODUCT", targets)
    await reconsider(tx, [each.listing_id for each in linked], Why.EDITED, now=now)
    return Deleted(tuple(ids), refused)


async def locked(tx: Tx, product_id: UUID, expected_version: int | None) -> Product:
    """Raises DomainError NOT_FOUND or VERSION_CHANGED."""
    product = (await products.lock(tx, [product_id])).get(product_id)
    if product is None:
        raise edits.not_found("product", "id")
    edits.check_version(product.version, expected_version)
    return product


async def renamed(tx: Tx, product: Product, code: str | None, name: str | None) -> Product:
    """With a code and a name by hand; None: as it is. Raises DomainError REQUIRED, INVALID_VALUE or CODE_TAKEN."""
    new_code = product.code if code is None else checked_code(code)
    if new_code != product.code and await products.taken(tx, new_code):
        raise code_taken(new_code)
    new_name = product.name if name is None else checked_text(name, "name", MOST_NAME)
    by_hand = product.named_by_hand or (name is not None and bool(new_name))
    return replace(
        product,
        code=new_code,
        name=new_name,
        named_by_hand=by_hand,
        folded=folded(new_code, new_name),
    )


def folded(code: str, name: str) -> str:
    return fold(f"{code} {name}")


def checked_code(code: str) -> str:
    """Raises DomainError REQUIRED or INVALID_VALUE."""
    code = checked_text(code, "code", MOST_NAME)
    if not code:
        raise DomainError("Enter a code.", code="REQUIRED", field=("code",))
    return code


def code_taken(code: str) -> DomainError:
    return DomainError(
        f"The code {code} belongs to another product. Choose another code.",
        code="CODE_TAKEN",
        field=("code",),
        value=code,
    )


async def _hold(tx: Tx, group_id: UUID | None) -> None:
    """A group that products join may not change its reserve meanwhile."""
    if group_id is not None and await products.lock_group(tx, group_id) is None:
        raise edits.not_found("group", "groupId")


def _check_reserve(reserve: int | None) -> None:
    if reserve is not None:
        check_units(reserve, "reserve")


async def _changed(tx: Tx, product: Product, fields: ProductFields) -> Product:
    named = await renamed(tx, product, fields.get("code"), fields.get("name"))
    image_url = fields.get("image_url", named.image_url)
    return replace(
        named,
        managed=fields.get("managed", named.managed),
        reserve=fields.get("reserve", named.reserve),
        group_id=fields.get("group_id", named.group_id),
        image_url=checked_address(image_url, "image_url") if image_url else None,
    )


def _numbers(product: Product) -> tuple[object, ...]:
    """What the number to show follows from, beside the total."""
    return product.managed, product.reserve, product.group_id


async def _log(tx: Tx, actor: Actor, action: str, before: Product, after: Product) -> None:
    names = ("code", "name", "managed", "reserve", "group_id", "image_url")
    facts = {
        name: {"before": getattr(before, name), "after": getattr(after, name)}
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
    await logs.operation(tx, actor.as_json(), action, "PRODUCT", [(after.id, facts)])


def _refusals(
    product_ids: Sequence[UUID],
    known: Mapping[UUID, Product],
    holding: Mapping[UUID, Sequence[str]],
) -> tuple[Refused, ...]:
    used = [Refused(each, _part_in_use(codes)) for each, codes in holding.items()]
    return (*edits.missing(product_ids, known, "product"), *used)


def _part_in_use(codes: Sequence[str]) -> DomainError:
    return DomainError(
        f"It is part of {', '.join(codes[:5])}. Take it out of the set first.",
        code="PART_IN_USE",
        sets=tuple(codes),
    )
