"""別品番紐づけ Where a shop's own codes differ from the products': a table that links by itself, now and on every import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.code_mappings import CodePair, checked_pairs
from domain.model.links import LinkReason, LinkState, fold
from domain.services import edits, links
from domain.services.edits import Refused
from domain.services.shops import known
from domain.store import code_mappings, logs, products
from domain.store.code_mappings import NewMapping
from domain.store.database import Tx
from domain.store.links import NewLink


@dataclass(frozen=True, slots=True)
class SavedMappings:
    """`ids` were made or changed, `deleted` are gone; `listing_ids` are linked by them now."""

    ids: tuple[UUID, ...]
    deleted: tuple[UUID, ...]
    listing_ids: tuple[UUID, ...]
    refused: tuple[Refused, ...]


async def save_mappings(
    tx: Tx,
    actor: Actor,
    shop_id: UUID,
    pairs: Sequence[CodePair],
    delete_ids: Sequence[UUID],
    *,
    now: datetime,
) -> SavedMappings:
    """Deletes lines, then makes and changes some; a code of the shop has one line. Listings of these codes that are
    unlinked, but not by hand, are linked at once where there is a product of the code. What is linked stays.

    Raises DomainError NOT_FOUND, REQUIRED or INVALID_VALUE. Refused: NOT_FOUND of lines to delete.
    """
    await known(tx, shop_id)
    checked = checked_pairs(pairs)
    gone = await code_mappings.delete(tx, shop_id, delete_ids)
    saved = await code_mappings.save(tx, shop_id, [_new(pair) for pair in checked])
    table = {pair.mall_code: pair.product_code for pair in checked}
    await _log(tx, actor, shop_id, table, {each.mall_code: each.product_code for each in gone})
    linked = await _link(tx, actor, shop_id, table, now)
    return SavedMappings(
        tuple(each.id for each in saved),
        tuple(each.id for each in gone),
        linked,
        edits.missing(delete_ids, {each.id for each in gone}, "line"),
    )


async def _link(
    tx: Tx, actor: Actor, shop_id: UUID, table: Mapping[str, str], now: datetime
) -> tuple[UUID, ...]:
    waiting = await code_mappings.waiting(tx, shop_id, table)
    by_code = await products.by_code(tx, {table[code] for code in waiting.values()})
    wanted = {
        listing_id: NewLink(
            listing_id, by_code[table[code]], LinkState.LINKED, LinkReason.CODE_MAPPING
        )
        for listing_id, code in waiting.items()
        if table[code] in by_code
    }
    linked, turned = await links.link_by_code(tx, actor, shop_id, wanted, now=now)
    await links.take_waiting(tx, list(linked), now=now)
    await edits.edited(tx, actor, {*linked, *turned}, None, now=now)
    return tuple(linked)


def _new(pair: CodePair) -> NewMapping:
    return NewMapping(
        pair.mall_code, pair.product_code, fold(f"{pair.mall_code} {pair.product_code}")
    )


async def _log(
    tx: Tx,
    actor: Actor,
    shop_id: UUID,
    saved: Mapping[str, str],
    deleted: Mapping[str, str],
) -> None:
    facts: Mapping[str, Any] = {
        "saved": len(saved),
        "deleted": len(deleted),
        "lines": dict(saved),
        "gone": dict(deleted),
    }
    targets = [(shop_id, facts)] if saved or deleted else []
    await logs.operation(tx, actor.as_json(), "SAVE_CODE_MAPPINGS", "SHOP", targets)
