"""What went wrong between us and the malls: one cause, one row, with a count and the listings it hit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Reported:
    """`before`: the state the error had; None when it is new."""

    id: UUID
    before: str | None
    count: int


@dataclass(frozen=True, slots=True)
class KnownError:
    id: UUID
    level: int
    kind: str
    state: str
    shop_id: UUID | None
    resolved_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None and self.state == "OPEN"


REPORT = text(
    """
    INSERT INTO sync_errors AS e (account_id, level, kind, shop_id, group_key, count, first_at, last_at, next_try_at,
        mall_code, mall_message, params)
    VALUES (:account, :level, :kind, :shop, :group_key, :count, :at, :at, :next_try_at, :mall_code, :mall_message,
        cast(:params AS jsonb))
    ON CONFLICT (account_id, group_key) WHERE resolved_at IS NULL DO UPDATE SET
        count = e.count + excluded.count, last_at = excluded.last_at, state = 'OPEN', cleared_at = NULL,
        cleared_by = NULL, next_try_at = excluded.next_try_at, mall_code = excluded.mall_code,
        mall_message = excluded.mall_message, params = e.params || excluded.params, level = excluded.level
    RETURNING e.id, old.state AS before, new.count
    """
)

HIT = text(
    """
    INSERT INTO sync_error_listings (account_id, error_id, listing_id)
    SELECT :account, :error, listing FROM unnest(cast(:listings AS uuid[])) AS listing ORDER BY listing
    ON CONFLICT DO NOTHING
    """
)

RECOUNT = text(
    """
    UPDATE sync_errors e SET count = c.count, params = e.params || jsonb_build_object('count', c.count)
    FROM (SELECT count(*)::int AS count FROM sync_error_listings WHERE account_id = :account AND error_id = :error) AS c
    WHERE e.account_id = :account AND e.id = :error
    """
)

RESOLVE = text(
    """
    UPDATE sync_errors SET resolved_at = :at, state = CASE state WHEN 'OPEN' THEN 'RESOLVED' ELSE state END
    WHERE account_id = :account AND resolved_at IS NULL AND shop_id = :shop AND kind = ANY (:kinds)
        AND (cast(:part AS text) IS NULL OR params ->> 'part' = :part)
        AND (cast(:level AS int) IS NULL OR level = :level)
    RETURNING id
    """
)

MENDED = text(
    """
    WITH mended AS (
        DELETE FROM sync_error_listings h USING sync_errors e
        WHERE h.account_id = :account AND h.listing_id = ANY (:listings) AND e.account_id = h.account_id
            AND e.id = h.error_id AND e.resolved_at IS NULL AND e.kind = ANY (:kinds)
        RETURNING h.error_id, h.listing_id)
    UPDATE sync_errors e SET resolved_at = :at, state = CASE state WHEN 'OPEN' THEN 'RESOLVED' ELSE state END
    WHERE e.account_id = :account AND e.resolved_at IS NULL AND e.id IN (SELECT error_id FROM mended)
        AND NOT EXISTS (SELECT FROM sync_error_listings h WHERE h.account_id = e.account_id AND h.error_id = e.id
            AND h.listing_id NOT IN (SELECT listing_id FROM mended WHERE mended.error_id = e.id))
    RETURNING e.id
    """
)

KNOWN = text(
    """
    SELECT id, level, kind, state, shop_id, resolved_at FROM sync_errors
    WHERE account_id = :account AND id = ANY (:ids) ORDER BY id
    """
)

FACT = text(
    """
    SELECT params ->> :name FROM sync_errors
    WHERE account_id = :account AND group_key = :group_key AND resolved_at IS NULL
    """
)

CLEAR = text(
    """
    UPDATE sync_errors SET state = 'CLEARED', cleared_at = :at, cleared_by = cast(:actor AS jsonb)
    WHERE account_id = :account AND id = ANY (:ids) AND state <> 'CLEARED' RETURNING id
    """
)

FIND = text(
    """
    SELECT id FROM sync_errors WHERE account_id = :account
        AND (cast(:levels AS int[]) IS NULL OR level = ANY (:levels))
        AND (cast(:states AS text[]) IS NULL OR state = ANY (:states))
        AND (cast(:kinds AS text[]) IS NULL OR kind = ANY (:kinds))
        AND (cast(:shops AS uuid[]) IS NULL OR shop_id = ANY (:shops))
    ORDER BY id LIMIT :at_most
    """
)


async def report(
    tx: Tx,
    *,
    level: int,
    kind: str,
    shop_id: UUID | None,
    group_key: str,
    count: int,
    params: Mapping[str, Any],
    mall_code: str,
    mall_message: str,
    next_try_at: datetime | None,
    at: datetime,
) -> Reported:
    """Opens the error of this cause, or counts it on; one that was cleared and is seen again opens again."""
    row = (
        await tx.execute(
            REPORT,
            {
                "account": tx.account_id,
                "level": level,
                "kind": kind,
                "shop": shop_id,
                "group_key": group_key,
                "count": count,
                "params": orjson.dumps(dict(params)).decode(),
                "mall_code": mall_code,
                "mall_message": mall_message,
                "next_try_at": next_try_at,
                "at": at,
            },
        )
    ).one()
    return Reported(row.id, row.before, row._mapping["count"])


async def hit(tx: Tx, error_id: UUID, listing_ids: Collection[UUID]) -> None:
    """Notes which listings the error concerns."""
    if listing_ids:
        await tx.execute(
            HIT, {"account": tx.account_id, "error": error_id, "listings": list(listing_ids)}
        )


async def recount(tx: Tx, error_id: UUID) -> None:
    """It counts the listings that it concerns, not how often they were met."""
    await tx.execute(RECOUNT, {"account": tx.account_id, "error": error_id})


async def resolve(
    tx: Tx,
    shop_id: UUID,
    kinds: Collection[str],
    *,
    part: str | None,
    level: int | None,
    at: datetime,
) -> list[UUID]:
    """The cause is gone for the whole shop, or for this part of it, or at this level. The ids of what was open until
    now."""
    parameters = {"account": tx.account_id, "shop": shop_id, "kinds": list(kinds), "part": part}
    rows = await tx.execute(RESOLVE, parameters | {"level": level, "at": at})
    return list(rows.scalars())


async def mended(
    tx: Tx, listing_ids: Collection[UUID], kinds: Collection[str], *, at: datetime
) -> list[UUID]:
    """These listings are well again. The ids of the errors that no listing keeps open any more."""
    rows = await tx.execute(
        MENDED,
        {"account": tx.account_id, "listings": list(listing_ids), "kinds": list(kinds), "at": at},
    )
    return list(rows.scalars())


async def fact(tx: Tx, group_key: str, name: str) -> str | None:
    """What the error of this cause, while the cause lasts, says under this name."""
    values = {"account": tx.account_id, "group_key": group_key, "name": name}
    told: str | None = await tx.scalar(FACT, values)
    return told


async def known(tx: Tx, ids: Collection[UUID]) -> list[KnownError]:
    """Those of them that the account has."""
    rows = await tx.execute(KNOWN, {"account": tx.account_id, "ids": list(ids)})
    return [KnownError(**row._mapping) for row in rows]


async def clear(
    tx: Tx, ids: Sequence[UUID], actor: Mapping[str, Any], *, at: datetime
) -> list[UUID]:
    """Hides them; the ids of those that were not hidden yet."""
    rows = await tx.execute(
        CLEAR,
        {
            "account": tx.account_id,
            "ids": list(ids),
            "actor": orjson.dumps(actor).decode(),
            "at": at,
        },
    )
    return list(rows.scalars())


async def find(
    tx: Tx,
    *,
    levels: Sequence[int] | None = None,
    states: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    shop_ids: Sequence[UUID] | None = None,
    at_most: int = 1000,
) -> list[UUID]:
    """Ids of the errors that meet every given condition, oldest first."""
    rows = await tx.execute(
        FIND,
        {
            "account": tx.account_id,
            "levels": levels,
            "states": states,
            "kinds": kinds,
            "shops": shop_ids,
            "at_most": at_most,
        },
    )
    return list(rows.scalars())
