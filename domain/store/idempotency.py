"""Answers kept by the key that the caller gave with the request: a request that comes again changes nothing twice."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from domain.store.database import Tx

MOST_FORGOTTEN = 100
"""Rows that one request clears away at most."""

HOLD = text(
    """
    SELECT pg_try_advisory_xact_lock(
        hashtextextended(concat_ws(chr(31), cast(:account AS uuid),
            cast(:caller AS text), cast(:mutation AS text), cast(:key AS text)), 0))
    """
)

KEPT = text(
    """
    SELECT asked, answer FROM idempotency_keys
    WHERE account_id = :account AND caller = :caller AND mutation = :mutation AND key = :key AND at > :since
    """
)

KEEP = text(
    """
    INSERT INTO idempotency_keys (account_id, caller, mutation, key, asked, answer, at)
    VALUES (:account, :caller, :mutation, :key, :asked, cast(:answer AS jsonb), :at)
    ON CONFLICT (account_id, caller, mutation, key)
        DO UPDATE SET asked = excluded.asked, answer = excluded.answer, at = excluded.at
    """
)

FORGET = text(
    """
    DELETE FROM idempotency_keys WHERE account_id = :account AND (caller, mutation, key) IN (
        SELECT caller, mutation, key FROM idempotency_keys WHERE account_id = :account AND at <= :before
        ORDER BY at LIMIT :at_most FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose key it is, and of what: the same key of another caller or for another mutation is another key."""

    caller: str
    mutation: str
    key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """`asked`: the hash of what was asked for. `answer`: what came of it, as JSON."""

    asked: bytes
    answer: Any


async def hold(tx: Tx, scope: Scope) -> bool:
    """The key is ours until commit or rollback; False: another request holds it just now."""
    held: bool = await tx.scalar(HOLD, {"account": tx.account_id, **asdict(scope)})
    return held


async def kept(tx: Tx, scope: Scope, *, since: datetime) -> Kept | None:
    """What was kept for the key, after `since`."""
    values = {"account": tx.account_id, "since": since, **asdict(scope)}
    row = (await tx.execute(KEPT, values)).one_or_none()
    return None if row is None else Kept(bytes(row.asked), row.answer)


async def keep(tx: Tx, scope: Scope, asked: bytes, answer: Any, *, at: datetime) -> None:
    values = {"asked": asked, "answer": orjson.dumps(answer).decode(), "at": at}
    await tx.execute(KEEP, {"account": tx.account_id, **asdict(scope), **values})


async def forget(tx: Tx, *, before: datetime) -> None:
    """Some of what is as old."""
    values = {"account": tx.account_id, "before": before, "at_most": MOST_FORGOTTEN}
    await tx.execute(FORGET, values)
