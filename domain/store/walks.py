"""Shops whose listings are all looked at again, part by part: how far each walk is, and when it goes on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from domain.model.actors import Actor
from domain.store.database import Tx

WALK = "WALK"
"""The name of its bell."""


@dataclass(frozen=True, slots=True)
class LetsGo:
    """Who gave the shop up, and whether its listings are deleted."""

    actor: Actor
    delete_listings: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """`after`: the last listing that was looked at. `forget`: what is believed of the mall's counters is forgotten on the
    way. `lets_go`: the listings belong to nothing any more. `epoch`: whoever took it up under an older one is at it no more.
    `failures`: in a row."""

    shop_id: UUID
    epoch: int
    forget: bool
    lets_go: LetsGo | None
    after: UUID | None
    failures: int


BEGIN = text(
    """
    INSERT INTO shop_walks AS w (account_id, shop_id, forget, lets_go, next_try_at)
    SELECT :account, s.id, :forget, cast(:lets_go AS jsonb), :at FROM unnest(cast(:shops AS uuid[])) AS s (id) ORDER BY s.id
    ON CONFLICT (account_id, shop_id) DO UPDATE SET forget = w.forget OR excluded.forget, lets_go = excluded.lets_go,
        after = NULL, failures = 0, next_try_at = excluded.next_try_at, created_at = excluded.created_at
    """
)

TAKE_UP = text(
    """
    UPDATE shop_walks SET next_try_at = :until, epoch = epoch + 1
    WHERE account_id = :account AND shop_id = :shop AND next_try_at <= :at
    RETURNING shop_id, epoch, forget, lets_go, after, failures
    """
)

GO_ON = text(
    """
    UPDATE shop_walks SET next_try_at = :until WHERE account_id = :account AND shop_id = :shop AND epoch = :epoch
    RETURNING shop_id, epoch, forget, lets_go, after, failures
    """
)

REACHED = text(
    "UPDATE shop_walks SET after = :after, failures = 0 WHERE account_id = :account AND shop_id = :shop"
)

LATER = text(
    """
    UPDATE shop_walks SET next_try_at = :at, failures = :failures, epoch = epoch + 1
    WHERE account_id = :account AND shop_id = :shop
    """
)

PUT_DOWN = text(
    "UPDATE shop_walks SET next_try_at = :at WHERE account_id = :account AND shop_id = :shop AND epoch = :epoch"
)

FEW = text(
    "SELECT id FROM listings WHERE account_id = :account AND shop_id = ANY (:shops) LIMIT :at_most"
)

NEXT = text(
    """
    SELECT id FROM listings
    WHERE account_id = :account AND shop_id = :shop AND (cast(:after AS uuid) IS NULL OR id > :after)
    ORDER BY id LIMIT :at_most
    """
)

END = text("DELETE FROM shop_walks WHERE account_id = :account AND shop_id = :shop")

PENDING = text(
    "SELECT EXISTS (SELECT FROM shop_walks WHERE account_id = :account AND shop_id = :shop)"
)


async def begin(
    tx: Tx,
    shop_ids: Collection[UUID],
    *,
    forget: bool = False,
    lets_go: LetsGo | None = None,
    at: datetime,
) -> None:
    """Walks through these locked shops; rings each. One that is under way begins anew, and forgets if either was to."""
    values = {"account": tx.account_id, "shops": list(shop_ids), "forget": forget, "at": at}
    await tx.execute(BEGIN, values | {"lets_go": lets_go and _kept(lets_go)})
    for shop_id in shop_ids:
        tx.ring(shop_id, WALK)


async def take_up(tx: Tx, shop_id: UUID, *, at: datetime, until: datetime) -> Walk | None:
    """The walk, if it is to go on: nobody else takes it up before `until`."""
    values = {"at": at, "until": until}
    return _walk((await tx.execute(TAKE_UP, _key(tx, shop_id) | values)).one_or_none())


async def go_on(tx: Tx, walk: Walk, *, until: datetime) -> Walk | None:
    """The walk as it is by now, its row held until commit. None: it is over, or another's."""
    values = {"epoch": walk.epoch, "until": until}
    return _walk((await tx.execute(GO_ON, _key(tx, walk.shop_id) | values)).one_or_none())


async def reached(tx: Tx, shop_id: UUID, listing_id: UUID) -> None:
    """All up to this listing were looked at."""
    await tx.execute(REACHED, _key(tx, shop_id) | {"after": listing_id})


async def later(tx: Tx, shop_id: UUID, at: datetime, *, failures: int) -> None:
    """Whoever took it up is at it no more; from then on it may be taken up again, after so many failures in a row."""
    await tx.execute(LATER, _key(tx, shop_id) | {"at": at, "failures": failures})


async def put_down(tx: Tx, walk: Walk, *, at: datetime) -> None:
    """Whoever took it up so is at it no more."""
    await tx.execute(PUT_DOWN, _key(tx, walk.shop_id) | {"at": at, "epoch": walk.epoch})


async def few(tx: Tx, shop_ids: Collection[UUID], *, at_most: int) -> list[UUID] | None:
    """The listings of these shops together; None where they are more than so many."""
    values = {"account": tx.account_id, "shops": list(shop_ids), "at_most": at_most + 1}
    found = list((await tx.execute(FEW, values)).scalars())
    return found if len(found) <= at_most else None


async def next_ones(tx: Tx, shop_id: UUID, after: UUID | None, *, at_most: int) -> list[UUID]:
    """The shop's next listings, in id order."""
    values = {"after": after, "at_most": at_most}
    return list((await tx.execute(NEXT, _key(tx, shop_id) | values)).scalars())


async def end(tx: Tx, shop_id: UUID) -> None:
    await tx.execute(END, _key(tx, shop_id))


async def pending(tx: Tx, shop_id: UUID) -> bool:
    """Are some of the shop's listings still as they were?"""
    return bool(await tx.scalar(PENDING, _key(tx, shop_id)))


def _key(tx: Tx, shop_id: UUID) -> dict[str, object]:
    return {"account": tx.account_id, "shop": shop_id}


def _walk(row: Row[Any] | None) -> Walk | None:
    return None if row is None else Walk(**{**row._mapping, "lets_go": _lets_go(row.lets_go)})


def _kept(lets_go: LetsGo) -> str:
    kept = {"actor": lets_go.actor.as_json(), "delete_listings": lets_go.delete_listings}
    return orjson.dumps(kept).decode()


def _lets_go(kept: Mapping[str, Any] | None) -> LetsGo | None:
    if kept is None:
        return None
    return LetsGo(Actor.of_json(kept["actor"]), kept["delete_listings"])
