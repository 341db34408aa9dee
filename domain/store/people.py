"""The people who work in an account, and what they are let in by. Passwords and invitations are kept as hashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.model.locales import Locale
from domain.model.roles import Role
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    email: str
    name: str
    role: Role
    locale: Locale | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Login:
    """Someone who may sign in, and the hash of their password; None: they have not chosen one yet."""

    id: UUID
    name: str
    password_hash: str | None


HOLD = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'people', cast(:account AS uuid)), 0))"
)

COLUMNS = "id, email, name, role, locale, disabled_at IS NOT NULL AS disabled"

ONE = text(f"SELECT {COLUMNS} FROM users WHERE account_id = :account AND id = :user")  # noqa: S608

NAMED = text(f"SELECT {COLUMNS} FROM users WHERE account_id = :account AND email = :email")  # noqa: S608

INSERT = text(
    """
    INSERT INTO users (account_id, email, name, role, locale) VALUES (:account, :email, :name, :role, :locale)
    RETURNING id
    """
)

SAVE = text(
    """
    UPDATE users SET email = :email, name = :name, role = :role, locale = :locale,
        disabled_at = CASE WHEN :disabled THEN coalesce(disabled_at, clock_timestamp()) END,
        invitation_hash = CASE WHEN :disabled OR email <> :email THEN NULL ELSE invitation_hash END,
        invitation_until = CASE WHEN :disabled OR email <> :email THEN NULL ELSE invitation_until END
    WHERE account_id = :account AND id = :user
    """
)

OTHER_OWNERS = text(
    """
    SELECT EXISTS (SELECT FROM users
        WHERE account_id = :account AND role = 'OWNER' AND disabled_at IS NULL AND id <> :user)
    """
)

INVITE = text(
    """
    UPDATE users SET invitation_hash = :hash, invitation_until = clock_timestamp() + :lasts
    WHERE account_id = :account AND id = :user RETURNING invitation_until
    """
)

INVITED = text("SELECT account_id, user_id FROM renkei_invited(:hash)")

LOGIN = text(
    """
    SELECT id, name, password_hash FROM users
    WHERE account_id = :account AND (email = :email OR id = :user) AND disabled_at IS NULL
    """
)

REHASH = text(
    """
    UPDATE users SET password_hash = :hash
    WHERE account_id = :account AND id = :user AND password_hash = :before
    """
)

CHANGE_PASSWORD = text(
    """
    UPDATE users SET password_hash = :hash, invitation_hash = NULL, invitation_until = NULL
    WHERE account_id = :account AND id = :user AND password_hash = :before AND disabled_at IS NULL
    RETURNING id
    """
)

TAKE_UP = text(
    """
    UPDATE users SET password_hash = :hash, invitation_hash = NULL, invitation_until = NULL
    WHERE account_id = :account AND id = :user AND invitation_hash = :invitation
        AND invitation_until > clock_timestamp() AND disabled_at IS NULL
    RETURNING email, name
    """
)

SET_PASSWORD = text(
    """
    UPDATE users SET password_hash = :hash, invitation_hash = NULL, invitation_until = NULL
    WHERE account_id = :account AND id = :user
    """
)


async def hold(tx: Tx) -> None:
    """One transaction at a time changes who the people of this account are."""
    await tx.execute(HOLD, {"account": tx.account_id})


async def one(tx: Tx, user_id: UUID) -> Person | None:
    row = (await tx.execute(ONE, {"account": tx.account_id, "user": user_id})).one_or_none()
    return None if row is None else _person(row)


async def named(tx: Tx, email: str) -> Person | None:
    """Whose mail address this is."""
    row = (await tx.execute(NAMED, {"account": tx.account_id, "email": email})).one_or_none()
    return None if row is None else _person(row)


async def insert(tx: Tx, email: str, name: str, role: Role, locale: Locale | None) -> UUID:
    values = {"email": email, "name": name, "role": role.value, "locale": _word(locale)}
    user_id: UUID = await tx.scalar(INSERT, {"account": tx.account_id, **values})
    return user_id


async def save(tx: Tx, person: Person) -> None:
    """As it is given. Who is disabled can no longer take up an invitation; nor can who held one at another address."""
    values = {
        "account": tx.account_id,
        "user": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role.value,
        "locale": _word(person.locale),
        "disabled": person.disabled,
    }
    await tx.execute(SAVE, values)


async def has_other_owners(tx: Tx, user_id: UUID) -> bool:
    """Whether an enabled owner would remain without this one."""
    return bool(await tx.scalar(OTHER_OWNERS, {"account": tx.account_id, "user": user_id}))


async def invite(tx: Tx, user_id: UUID, secret_hash: bytes, lasts: timedelta) -> datetime:
    """In place of an earlier invitation; answers until when it is good."""
    until: datetime = await tx.scalar(
        INVITE, {"account": tx.account_id, "user": user_id, "hash": secret_hash, "lasts": lasts}
    )
    return until


async def invited(connection: AsyncConnection, secret_hash: bytes) -> tuple[UUID, UUID] | None:
    """Account and person of an invitation that is good; outside any account, which it is to name."""
    row = (await connection.execute(INVITED, {"hash": secret_hash})).one_or_none()
    return None if row is None else (row.account_id, row.user_id)


async def login(tx: Tx, *, email: str = "", user_id: UUID | None = None) -> Login | None:
    """By mail address or by id; None for who is not there, or disabled."""
    named: Mapping[str, Any] = {"email": email, "user": user_id}
    row = (await tx.execute(LOGIN, {"account": tx.account_id, **named})).one_or_none()
    return None if row is None else Login(row.id, row.name, row.password_hash)


async def rehash(tx: Tx, user_id: UUID, before: str, after: str) -> None:
    """The same password, hashed anew; nothing where it was changed meanwhile."""
    values = {"account": tx.account_id, "user": user_id, "before": before, "hash": after}
    await tx.execute(REHASH, values)


async def change_password(tx: Tx, user_id: UUID, before: str, after: str) -> bool:
    """False where it was changed meanwhile, or the person disabled."""
    values = {"account": tx.account_id, "user": user_id, "before": before, "hash": after}
    return await tx.scalar(CHANGE_PASSWORD, values) is not None


async def take_up(
    tx: Tx, user_id: UUID, invitation: bytes, password_hash: str
) -> tuple[str, str] | None:
    """Uses the invitation up. The mail address and name of whose it was; None: it is good no more."""
    values = {
        "account": tx.account_id,
        "user": user_id,
        "invitation": invitation,
        "hash": password_hash,
    }
    row = (await tx.execute(TAKE_UP, values)).one_or_none()
    return None if row is None else (row.email, row.name)


async def set_password(tx: Tx, user_id: UUID, password_hash: str) -> None:
    values = {"account": tx.account_id, "user": user_id, "hash": password_hash}
    await tx.execute(SET_PASSWORD, values)


def _word(locale: Locale | None) -> str | None:
    return None if locale is None else locale.value


def _person(row: Any) -> Person:
    locale = None if row.locale is None else Locale(row.locale)
    return Person(row.id, row.email, row.name, Role(row.role), locale, row.disabled)
