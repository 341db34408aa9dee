"""People who are signed in. Only the hashes of their tokens are kept; a session that has ended has no row."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.model.locales import Locale
from domain.model.roles import Role
from domain.store.database import Tx

IDLE = timedelta(days=3)
"""A session that nobody uses for so long is over."""


@dataclass(frozen=True, slots=True)
class LivingSession:
    """Neither ended, expired nor idle for too long; its person is not disabled. `unnoted`: as of a token."""

    account_id: UUID
    session_id: UUID
    user_id: UUID
    name: str
    role: Role
    locale: Locale | None
    unnoted: bool


OPEN = text(
    """
    INSERT INTO sessions (account_id, user_id, token_hash, expires_at)
    SELECT account_id, id, :hash, clock_timestamp() + :lives FROM users
    WHERE account_id = :account AND id = :user AND password_hash = :password AND disabled_at IS NULL
    RETURNING expires_at
    """
)

FORGET = text(
    """
    DELETE FROM sessions WHERE account_id = :account AND user_id = :user AND (
        expires_at <= clock_timestamp() OR last_used_at <= clock_timestamp() - cast(:idle AS interval)
        OR id IN (SELECT id FROM sessions WHERE account_id = :account AND user_id = :user
            ORDER BY last_used_at DESC, id DESC OFFSET :most))
    """
)

FIND = text(
    """
    SELECT asked.hash, s.account_id, s.session_id, s.user_id, s.name, s.role, s.locale,
        s.last_used_at <= clock_timestamp() - interval '1 minute' AS unnoted
    FROM unnest(cast(:hashes AS bytea[])) AS asked (hash)
        CROSS JOIN LATERAL renkei_authenticate_session(asked.hash) AS s
    WHERE s.expires_at > clock_timestamp() AND s.last_used_at > clock_timestamp() - cast(:idle AS interval)
    """
)

END = text("DELETE FROM sessions WHERE account_id = :account AND id = :session")

END_ALL = text(
    """
    DELETE FROM sessions
    WHERE account_id = :account AND user_id = :user AND id IS DISTINCT FROM cast(:but AS uuid)
    """
)


async def open_session(
    tx: Tx, user_id: UUID, password_hash: str, token_hash: bytes, lives: timedelta
) -> datetime | None:
    """Until when it is good; None where the password was changed or the person disabled meanwhile."""
    values = {
        "account": tx.account_id,
        "user": user_id,
        "password": password_hash,
        "hash": token_hash,
        "lives": lives,
    }
    until: datetime | None = await tx.scalar(OPEN, values)
    return until


async def forget(tx: Tx, user_id: UUID, *, most: int) -> None:
    """Takes away what is over, and beyond `most` those that were not used longest."""
    values = {"account": tx.account_id, "user": user_id, "idle": IDLE, "most": most}
    await tx.execute(FORGET, values)


async def find(
    connection: AsyncConnection, hashes: Collection[bytes]
) -> dict[bytes, LivingSession]:
    """Whose they are, by their hashes and the database's clock; outside any account, which they are to name."""
    rows = await connection.execute(FIND, {"hashes": list(hashes), "idle": IDLE})
    return {row.hash: _living(row) for row in rows}


async def end(tx: Tx, session_id: UUID) -> None:
    await tx.execute(END, {"account": tx.account_id, "session": session_id})


async def end_all(tx: Tx, user_id: UUID, *, but: UUID | None = None) -> None:
    """Every session of a person, or every other one."""
    await tx.execute(END_ALL, {"account": tx.account_id, "user": user_id, "but": but})


def _living(row: Any) -> LivingSession:
    locale = None if row.locale is None else Locale(row.locale)
    return LivingSession(
        row.account_id,
        row.session_id,
        row.user_id,
        row.name,
        Role(row.role),
        locale,
        row.unnoted,
    )
