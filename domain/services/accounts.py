"""Accounts, and the tokens of their programs: made, revoked."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import SYSTEM, Actor
from domain.model.errors import DomainError
from domain.model.roles import PERMISSIONS, Permission, Role, check_covered
from domain.model.texts import checked_name
from domain.services.callers import TOKEN_PREFIX
from domain.services.edits import not_found
from domain.services.secret_words import hash_of, new_secret
from domain.store import accounts, logs, tokens
from domain.store.database import Database, Tx

ACCOUNT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


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
        if not await accounts.insert(tx, code, checked_name(name), product_limit):
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


@dataclass(frozen=True, slots=True)
class NewToken:
    """`token` is told this once: only its hash is kept."""

    id: UUID
    token: str


async def create_token(
    tx: Tx,
    name: str,
    *,
    role: Role | None = None,
    scopes: Collection[Permission] | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
) -> str:
    """The token itself, made by who may do everything. Raises DomainError, see `issue_token`."""
    everything = frozenset(Permission)
    made = await issue_token(
        tx, actor, everything, name, role=role, scopes=scopes, expires_at=expires_at
    )
    return made.token


async def issue_token(
    tx: Tx,
    actor: Actor,
    held: frozenset[Permission],
    name: str,
    *,
    role: Role | None = None,
    scopes: Collection[Permission] | None = None,
    expires_at: datetime | None = None,
) -> NewToken:
    """With either a role or scopes, of which `actor` holds all.

    Raises DomainError REQUIRED without a name, or with neither role nor scope; INVALID_VALUE with both; EXCEEDS_RIGHTS.
    """
    _check_rights(role, scopes)
    check_covered(PERMISSIONS[role] if role else scopes or (), held, "role" if role else "scopes")
    token, known_as = new_secret(TOKEN_PREFIX), checked_name(name)
    own_role = role.value if role else None
    own_scopes = sorted({scope.value for scope in scopes}) if scopes else None
    token_id = await tokens.insert(
        tx, known_as, hash_of(token), role=own_role, scopes=own_scopes, expires_at=expires_at
    )
    facts = {"name": known_as, "role": own_role, "scopes": own_scopes, "expires_at": expires_at}
    await logs.operation(tx, actor.as_json(), "CREATE_TOKEN", "API_TOKEN", [(token_id, facts)])
    return NewToken(token_id, token)


async def revoke_tokens(tx: Tx, token_ids: Sequence[UUID], *, actor: Actor) -> list[UUID]:
    """Ends them at once; the ids of those that lived until now. Raises DomainError NOT_FOUND, and ends none."""
    known = await tokens.known(tx, token_ids)
    for place, token_id in enumerate(token_ids):
        if token_id not in known:
            raise not_found("token", "ids", str(place))
    ended = await tokens.revoke(tx, token_ids)
    targets = [(token_id, {"name": name}) for token_id, name in ended.items()]
    await logs.operation(tx, actor.as_json(), "REVOKE_TOKENS", "API_TOKEN", targets)
    return list(ended)


def mail_address(entered: str, field: str) -> str:
    """Raises DomainError INVALID_VALUE for what cannot be one."""
    address = entered.strip().casefold()
    if not EMAIL.fullmatch(address):
        raise DomainError("Enter a mail address such as name@example.com.", field=(field,))
    return address


def _check_rights(role: Role | None, scopes: Collection[Permission] | None) -> None:
    if role is not None and scopes:
        raise DomainError("Give the token a role or scopes, not both.", field=("scopes",))
    if role is None and not scopes:
        raise DomainError(
            "Say what the token may do: a role, or at least one scope.",
            field=("scopes",),
            code="REQUIRED",
        )
