"""Accounts, their people and their tokens: made, recognised, revoked."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import SYSTEM, Actor, ActorKind
from domain.model.errors import DomainError
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.store import accounts, logs, tokens
from domain.store.database import Database, Tx
from domain.store.tokens import LivingToken

TOKEN_PREFIX = "rk_"
TOKEN_BYTES = 32
ACCOUNT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who asks, in which account, and what they may do there."""

    account_id: UUID
    actor: Actor
    permissions: frozenset[Permission]


async def create_account(
    db: Database, code: str, name: str, product_limit: int | None = None, *, actor: Actor = SYSTEM
) -> UUID:
    """A new merchant company. Raises DomainError INVALID_VALUE, REQUIRED or CODE_TAKEN."""
    if not ACCOUNT_CODE.fullmatch(code):
        raise DomainError(
            "Choose an account code of 1 to 40 letters, digits, - and _, beginning with a letter or digit.",
            field=("code",),
        )
    account_id = await accounts.new_id(db)
    async with db.transaction(account_id) as tx:
        if not await accounts.insert(tx, code, _named(name), product_limit):
            raise DomainError(
                f"There is an account {code} already: choose another code.",
                field=("code",),
                code="CODE_TAKEN",
                value=code,
            )
        facts = {"code": code, "name": name, "product_limit": product_limit}
        await logs.operation(
            tx, actor.as_json(), "CREATE_ACCOUNT", "ACCOUNT", [(account_id, facts)]
        )
    return account_id


async def account_of(db: Database, code: str) -> UUID | None:
    async with db.connection() as connection:
        return await accounts.id_of(connection, code)


async def create_user(tx: Tx, email: str, name: str, role: Role, *, actor: Actor = SYSTEM) -> UUID:
    """Raises DomainError INVALID_VALUE, REQUIRED, or CODE_TAKEN where the account has this address."""
    address = mail_address(email, "email")
    user_id = await accounts.insert_user(tx, address, _named(name), role)
    if user_id is None:
        raise DomainError(
            f"{address} belongs to a user of this account already.",
            field=("email",),
            code="CODE_TAKEN",
            value=address,
        )
    facts = {"email": address, "name": name, "role": role.value}
    await logs.operation(tx, actor.as_json(), "CREATE_USER", "USER", [(user_id, facts)])
    return user_id


async def create_token(
    tx: Tx,
    name: str,
    *,
    role: Role | None = None,
    scopes: Collection[Permission] | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
) -> str:
    """The token itself, told this once: only its hash is kept. Either a role or scopes.

    Raises DomainError REQUIRED without a name, or with neither role nor scope; INVALID_VALUE with both.
    """
    _check_rights(role, scopes)
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    own_role = role.value if role else None
    own_scopes = sorted(scope.value for scope in scopes) if scopes else None
    token_id = await tokens.insert(
        tx, _named(name), _hash(token), role=own_role, scopes=own_scopes, expires_at=expires_at
    )
    facts = {"name": name, "role": own_role, "scopes": own_scopes, "expires_at": expires_at}
    await logs.operation(tx, actor.as_json(), "CREATE_TOKEN", "API_TOKEN", [(token_id, facts)])
    return token


async def revoke_tokens(tx: Tx, token_ids: Sequence[UUID], *, actor: Actor) -> list[UUID]:
    """Ends them at once; the ids of those that lived until now."""
    ended = await tokens.revoke(tx, token_ids)
    targets = [(token_id, {"name": name}) for token_id, name in ended.items()]
    await logs.operation(tx, actor.as_json(), "REVOKE_TOKENS", "API_TOKEN", targets)
    return list(ended)


async def authenticate(db: Database, token: str) -> Authenticated | None:
    """Who holds the token; None where nobody does, or it was revoked or has expired."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    async with db.connection() as connection:
        living = await tokens.find(connection, _hash(token))
    if living is None:
        return None
    if living.unnoted:
        async with db.transaction(living.account_id) as tx:
            await tokens.used(tx, living.token_id)
    return _authenticated(living)


async def still_allowed(db: Database, held: Collection[str]) -> dict[str, Authenticated]:
    """Those of these tokens that live, with what each may do now; their use is not noted."""
    hashes = {token: _hash(token) for token in held}
    async with db.connection() as connection:
        living = await tokens.find_all(connection, hashes.values())
    return {
        token: _authenticated(living[hashed])
        for token, hashed in hashes.items()
        if hashed in living
    }


def mail_address(entered: str, field: str) -> str:
    """Raises DomainError INVALID_VALUE for what cannot be one."""
    address = entered.strip().casefold()
    if not EMAIL.fullmatch(address):
        raise DomainError("Enter a mail address such as name@example.com.", field=(field,))
    return address


def _authenticated(living: LivingToken) -> Authenticated:
    actor = Actor(ActorKind.TOKEN, living.name, living.token_id)
    if living.role is not None:
        return Authenticated(living.account_id, actor, PERMISSIONS[Role(living.role)])
    return Authenticated(living.account_id, actor, frozenset(map(Permission, living.scopes)))


def _check_rights(role: Role | None, scopes: Collection[Permission] | None) -> None:
    if role is not None and scopes:
        raise DomainError("Give the token a role or scopes, not both.", field=("scopes",))
    if role is None and not scopes:
        raise DomainError(
            "Say what the token may do: a role, or at least one scope.",
            field=("scopes",),
            code="REQUIRED",
        )


def _named(name: str) -> str:
    if not name.strip():
        raise DomainError("Enter a name.", field=("name",), code="REQUIRED")
    return name.strip()


def _hash(token: str) -> bytes:
    """A token of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
