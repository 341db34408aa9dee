"""Answers kept by the key that the caller gave with the request: a request that comes again changes nothing twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from domain.store.database import Tx

MOST_FORGOTTEN = 100
"""Rows that one request clears away at most."""

TAKE = text(
    """
    INSERT INTO idempotency_keys (account_id, key, asked, at) VALUES (:account, :key, :asked, :at)
    ON CONFLICT (account_id, key) DO NOTHING RETURNING key
    """
)

KEPT = text("SELECT asked, answer FROM idempotency_keys WHERE account_id = :account AND key = :key")

KEEP = text(
    """
    UPDATE idempotency_keys SET answer = cast(:answer AS jsonb) WHERE account_id = :account AND key = :key
    """
)

FORGET = text(
    """
    DELETE FROM idempotency_keys WHERE account_id = :account AND key IN (
        SELECT key FROM idempotency_keys WHERE account_id = :account AND at < :before
        ORDER BY at LIMIT :at_most FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True, slots=True)
class Kept:
    """`asked`: the digest of what was asked for. `answer`: what came of it, as JSON."""

    asked: bytes
    answer: Any


async def take(tx: Tx, key: str, asked: bytes, *, at: datetime) -> Kept | None:
    """None: the key is ours, until commit or rollback; another request with it waits for that. Else what is kept."""
    values = {"account": tx.account_id, "key": key}
    if await tx.scalar(TAKE, values | {"asked": asked, "at": at}) is not None:
        return None
    row = (await tx.execute(KEPT, values)).one()
    return Kept(bytes(row.asked), row.answer)


async def keep(tx: Tx, key: str, answer: Any) -> None:
    values = {"account": tx.account_id, "key": key, "answer": orjson.dumps(answer).decode()}
    await tx.execute(KEEP, values)


async def forget(tx: Tx, *, before: datetime) -> None:
    """Some of what is older."""
    values = {"account": tx.account_id, "before": before, "at_most": MOST_FORGOTTEN}
    await tx.execute(FORGET, values)
