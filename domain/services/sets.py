"""Sets: which products make up which. Making one, changing its parts, and making it a single product again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.sets import SetPart, check_set
from domain.services import edits
from domain.services.edits import Refused, Saved
from domain.services.products import create, renamed
from domain.store import logs, products, sets
from domain.store.database import Tx
from domain.store.products import Product


async def save_set(
    tx: Tx,
    actor: Actor,
    product_id: UUID | None,
    *,
    code: str | None = None,
    name: str | None = None,
    parts: Sequence[SetPart],
    expected_version: int | None = None,
    reflect: bool | None = None,
    now: datetime,
) -> Saved:
    """Makes a set (without an id), makes a product at total 0 one, or changes its parts: these and no others.

    Raises DomainError NOT_FOUND, VERSION_CHANGED, SET_EMPTY, TOO_MANY, SET_IN_SET, SET_HAS_NO_STOCK, INVALID_VALUE,
    and for its code REQUIRED, CODE_TAKEN or PLAN_LIMIT.
    """
    if product_id is None:
        product_id = await create(tx, code or "", name or "")
    elif code is not None:
        await products.hold_catalogue(tx)
    known = await products.lock(tx, {product_id, *(part.product_id for part in parts)})
    before = _checked(known, product_id, expected_version)
    await _check_parts(tx, before, parts, known)
    after = replace(await renamed(tx, before, code, name), kind="SET")
    await products.save(tx, [after])
    await sets.save(tx, product_id, parts)
    facts = {"parts": {known[part.product_id].code: part.count for part in parts}}
    await logs.operation(tx, actor.as_json(), "SAVE_SET", "PRODUCT", [(product_id, facts)])
    job_id = await edits.products_edited(tx, actor, [product_id], reflect, now=now)
    return Saved(product_id, job_id)


async def sets_to_singles(
    tx: Tx,
    actor: Actor,
    product_ids: Sequence[UUID],
    *,
    reflect: bool | None = None,
    now: datetime,
) -> tuple[Refused, ...]:
    """They are products of their own again, at total 0. Refused: NOT_FOUND, also where it is no set."""
    known = await products.lock(tx, product_ids)
    singles = [replace(each, kind="SINGLE") for each in known.values() if each.kind == "SET"]
    ids = [each.id for each in singles]
    await sets.clear(tx, ids)
    await products.save(tx, singles)
    targets = [(each.id, {"code": each.code}) for each in singles]
    await logs.operation(tx, actor.as_json(), "DELETE_SETS", "PRODUCT", targets)
    await edits.products_edited(tx, actor, ids, reflect, now=now)
    return edits.missing(product_ids, ids, "set")


def _checked(
    known: Mapping[UUID, Product], product_id: UUID, expected_version: int | None
) -> Product:
    product = known.get(product_id)
    if product is None:
        raise edits.not_found("product", "productId")
    edits.check_version(product.version, expected_version)
    return product


async def _check_parts(
    tx: Tx, product: Product, parts: Sequence[SetPart], known: Mapping[UUID, Product]
) -> None:
    for index, part in enumerate(parts):
        if part.product_id not in known:
            raise edits.not_found("product", "parts", str(index), "productId")
    check_set(
        product.id,
        parts,
        sets={each.id for each in known.values() if each.kind == "SET"} - {product.id},
        is_part=bool(await sets.holding(tx, [product.id])),
        total=product.total,
    )
