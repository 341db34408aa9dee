"""Groups of products that share what is kept back of each of them (確保在庫)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.stock import check_units
from domain.model.texts import checked_name
from domain.services import edits
from domain.services.edits import Refused, Saved
from domain.store import logs, products
from domain.store.database import Tx
from domain.store.products import Group, Product


async def save_group(
    tx: Tx,
    actor: Actor,
    group_id: UUID | None,
    *,
    name: str,
    reserve: int,
    add: Sequence[UUID] = (),
    remove: Sequence[UUID] = (),
    expected_version: int | None = None,
    reflect: bool | None = None,
    now: datetime,
) -> Saved:
    """Makes a group or changes one: what is kept back of each of its products, and which those are.

    Raises DomainError NOT_FOUND, VERSION_CHANGED, REQUIRED, INVALID_VALUE or CODE_TAKEN.
    """
    check_units(reserve, "reserve")
    group = await _group(tx, group_id, checked_name(name), expected_version)
    members = set(await products.of_group(tx, group.id))
    known = await products.lock(tx, members | set(add) | set(remove))
    _check_known(add, known, "addProducts")
    _check_known(remove, known, "removeProducts")
    moved = [_in_group(known, each, group.id) for each in known.keys() & set(add)]
    moved += [_in_group(known, each, None) for each in members & known.keys() & set(remove)]
    await products.save_group(tx, group.id, name.strip(), reserve)
    await products.save(tx, moved)
    facts = {"name": name.strip(), "reserve": reserve, "reserve_before": group.reserve}
    await logs.operation(tx, actor.as_json(), "SAVE_GROUP", "PRODUCT_GROUP", [(group.id, facts)])
    touched = known.keys() if reserve != group.reserve else {product.id for product in moved}
    job_id = await edits.products_edited(tx, actor, touched, reflect, now=now)
    return Saved(group.id, job_id)


async def move(
    tx: Tx,
    actor: Actor,
    group_id: UUID,
    product_ids: Sequence[UUID],
    *,
    joins: bool,
    reflect: bool | None = None,
    now: datetime,
) -> tuple[Refused, ...]:
    """Takes products into a group, or those that are in it out of it.

    Raises DomainError NOT_FOUND for the group. Refused: NOT_FOUND.
    """
    group = await products.lock_group(tx, group_id)
    if group is None:
        raise edits.not_found("group", "id")
    known = await products.lock(tx, product_ids)
    moved = [each for each in known.values() if (each.group_id == group_id) != joins]
    after = group_id if joins else None
    await products.save(tx, [replace(each, group_id=after) for each in moved])
    action = "JOIN_GROUP" if joins else "LEAVE_GROUP"
    targets = [(each.id, {"group": group.name, "before": each.group_id}) for each in moved]
    await logs.operation(tx, actor.as_json(), action, "PRODUCT", targets)
    await edits.products_edited(tx, actor, [each.id for each in moved], reflect, now=now)
    return edits.missing(product_ids, known, "product")


async def _group(tx: Tx, group_id: UUID | None, name: str, expected_version: int | None) -> Group:
    made = group_id or await products.add_group(tx, name)
    group = None if made is None else await products.lock_group(tx, made)
    if group is None and group_id is not None:
        raise edits.not_found("group", "id")
    if group is None or await products.group_taken(tx, name, group.id):
        raise DomainError(
            f"There is a group {name} already: choose another name.",
            code="CODE_TAKEN",
            field=("name",),
            value=name,
        )
    edits.check_version(group.version, expected_version)
    return group


def _check_known(asked: Sequence[UUID], known: Collection[UUID], field: str) -> None:
    for place, product_id in enumerate(asked):
        if product_id not in known:
            raise edits.not_found("product", field, "ids", str(place))


def _in_group(known: Mapping[UUID, Product], product_id: UUID, group_id: UUID | None) -> Product:
    return replace(known[product_id], group_id=group_id)
