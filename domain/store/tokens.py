"""API tokens. Only their hashes are kept; who holds one is looked up across accounts by one function of the database.

That a token, or a session, was used is noted for both by another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class LivingToken:
    """Neither revoked nor expired. `unnoted`: its last use was noted a minute ago or longer."""

    account_id: UUID
    token_id: UUID
    name: str
    role: str | None
    scopes: tuple[str, ...]
    unnoted: bool


INSERT = text(
    """
    INSERT INTO api_tokens (account_id, name, token_hash, role, scopes, expires_at)
    VALUES (:account, :name, :hash, :role, cast(:scopes AS text[]), :expires_at)
    RETURNING id
    """
)

FIND = text(
    """
    SELECT asked.hash, found.account_id, found.token_id, found.name, found.role, found.scopes,
        coalesce(found.last_used_at <= clock_timestamp() - interval '1 minute', true) AS unnoted
    FROM unnest(cast(:hashes AS bytea[])) AS asked (hash) CROSS JOIN LATERAL renkei_authenticate(asked.hash) AS found
    WHERE found.revoked_at IS NULL AND (found.expires_at IS NULL OR found.expires_at > clock_timestamp())
    """
)

USED = text("SELECT renkei_used(:hashes, clock_timestamp() - interval '1 minute')")

KNOWN = text("SELECT id FROM api_tokens WHERE account_id = :account AND id = ANY (:tokens)")

REVOKE = text(
    """
    UPDATE api_tokens SET revoked_at = clock_timestamp()
    WHERE account_id = :account AND id = ANY (:tokens) AND revoked_at IS NULL RETURNING id, name
    """
)


async def insert(
    tx: Tx,
    name: str,
    token_hash: bytes,
    *,
    role: str | None,
    scopes: Collection[str] | None,
    expires_at: datetime | None,
) -> UUID:
    """Either `role` or `scopes` is given."""
    token_id: UUID = await tx.scalar(
        INSERT,
        {
            "account": tx.account_id,
            "name": name,
            "hash": token_hash,
            "role": role,
            "scopes": None if scopes is None else sorted(scopes),
            "expires_at": expires_at,
        },
    )
    return token_id


async def find(connection: AsyncConnection, hashes: Collection[bytes]) -> dict[bytes, LivingToken]:
    """Whose they are, by their hashes and the database's clock; outside any account, which they are to name."""
    rows = await connection.execute(FIND, {"hashes": list(hashes)})
    return {row.hash: _living(row) for row in rows}


async def used(connection: AsyncConnection, hashes: Collection[bytes]) -> None:
    """Notes the use of tokens and sessions, of each at most once a minute, and waits for nobody."""
    await connection.execute(USED, {"hashes": list(hashes)})


async def known(tx: Tx, token_ids: Sequence[UUID]) -> set[UUID]:
    """Those of them that are this account's, ended or not."""
    rows = await tx.execute(KNOWN, {"account": tx.account_id, "tokens": list(token_ids)})
    return set(rows.scalars())


async def revoke(tx: Tx, token_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The tokens that lived until now, with their names."""
    rows = await tx.execute(REVOKE, {"account": tx.account_id, "tokens": list(token_ids)})
    return {row.id: row.name for row in rows}


def _living(row: Any) -> LivingToken:
    return LivingToken(
        row.account_id, row.token_id, row.name, row.role, tuple(row.scopes or ()), row.unnoted
    )
