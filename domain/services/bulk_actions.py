"""What a bulk change may be: small functions by name, each of which does a part of its targets.

An action calls the very service that the same mutation calls for a few targets. One more is a function and its line in
ACTIONS; whoever begins it says its name and arguments (`bulk.begin`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.mall_fields import FieldChange, FieldOwner
from domain.services import (
    attaching,
    drift,
    groups,
    links,
    listing_edits,
    listing_fields,
    listings,
    product_names,
    products,
    reflect_jobs,
)
from domain.services.edits import Refused
from domain.store import products as product_rows
from domain.store.database import Tx

REFLECT = "REFLECT"


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a job's targets, each still to be done. `arguments`: as JSON keeps them."""

    job_id: UUID
    actor: Actor
    targets: Sequence[UUID]
    arguments: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refused`: targets on which nothing was changed. `under_way`: how many have their outcome later."""

    refused: tuple[Refused, ...] = ()
    under_way: int = 0


Act = Callable[[Tx, Part], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Action:
    """`target`: the kind of its targets, as the operation log names it. A DomainError refuses the whole part.

    `ordered`: brings the targets into the order of their doing, where that matters.
    """

    target: str
    act: Act
    ordered: Callable[[Tx, Sequence[UUID]], Awaitable[Sequence[UUID]]] | None = None


async def _set_sync(tx: Tx, part: Part) -> Outcome:
    change = await listing_edits.set_sync(
        tx, part.actor, part.targets, **part.arguments, now=part.now
    )
    return Outcome(change.refused)


async def _set_limits(tx: Tx, part: Part) -> Outcome:
    change = await listing_edits.set_limits(
        tx, part.actor, part.targets, **part.arguments, now=part.now
    )
    return Outcome(change.refused)


async def _delete_listings(tx: Tx, part: Part) -> Outcome:
    change = await listings.delete_listings(tx, part.actor, part.targets, now=part.now)
    return Outcome(change.refused)


async def _unlink_listings(tx: Tx, part: Part) -> Outcome:
    change = await links.unlink(tx, part.actor, part.targets, now=part.now)
    return Outcome(change.refused)


async def _delete_products(tx: Tx, part: Part) -> Outcome:
    deleted = await products.delete_products(
        tx, part.actor, part.targets, **part.arguments, now=part.now
    )
    return Outcome(deleted.refused)


async def _move_to_group(tx: Tx, part: Part) -> Outcome:
    group, joins = UUID(part.arguments["group"]), part.arguments["joins"]
    refused = await groups.move(
        tx,
        part.actor,
        group,
        part.targets,
        joins=joins,
        reflect=part.arguments["reflect"],
        now=part.now,
    )
    return Outcome(refused)


async def _reflect(tx: Tx, part: Part) -> Outcome:
    waiting = await reflect_jobs.ask_part(
        tx, part.job_id, part.targets, **part.arguments, now=part.now
    )
    return Outcome(under_way=waiting)


async def _set_fields(tx: Tx, part: Part) -> Outcome:
    changes = [
        FieldChange(**each | {"owner": each["owner"] and FieldOwner(each["owner"])})
        for each in part.arguments["fields"]
    ]
    reflect = part.arguments["reflect"]
    change = await listing_fields.set_fields(
        tx, part.actor, part.targets, changes, reflect=reflect, now=part.now
    )
    return Outcome(change.refused)


async def _attach_listings(tx: Tx, part: Part) -> Outcome:
    shop_id = UUID(part.arguments["shop"])
    change = await attaching.attach(tx, part.actor, shop_id, part.targets, now=part.now)
    return Outcome(change.refused)


async def _take_theirs(tx: Tx, part: Part) -> Outcome:
    change = await drift.take(tx, part.actor, part.targets, now=part.now)
    return Outcome(change.refused)


async def _name_products(tx: Tx, part: Part) -> Outcome:
    await product_names.follow_base(tx, part.targets)
    return Outcome()


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "SET_FIELDS": Action("LISTING", _set_fields),
        "ATTACH_LISTINGS": Action("PRODUCT", _attach_listings),
        "TAKE_THEIRS": Action("LISTING", _take_theirs),
        "SET_SYNC": Action("LISTING", _set_sync),
        "SET_LIMITS": Action("LISTING", _set_limits),
        "DELETE_LISTINGS": Action("LISTING", _delete_listings),
        "UNLINK_LISTINGS": Action("LISTING", _unlink_listings),
        "NAME_PRODUCTS": Action("PRODUCT", _name_products),
        "DELETE_PRODUCTS": Action("PRODUCT", _delete_products, product_rows.sets_first),
        "MOVE_TO_GROUP": Action("PRODUCT", _move_to_group),
        REFLECT: Action("LISTING", _reflect),
    }
)
