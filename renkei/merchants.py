"""Accounts, users and tokens from the command line."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from domain.model.actors import SYSTEM
from domain.model.passwords import checked_password
from domain.model.roles import Permission, Role
from domain.services import accounts, people
from domain.services.passwords import Passwords
from domain.services.people import OURSELVES, Invitation
from domain.store.database import Database, Tx
from renkei.database import opened
from renkei.refusal import Refusal


async def create_account(url: str, code: str, name: str, product_limit: int | None) -> None:
    async with opened(url) as database:
        await accounts.create_account(database, code, name, product_limit)


async def create_user(url: str, account: str, email: str, name: str, role: Role) -> Invitation:
    """With what the user chooses a password by."""
    async with _inside(url, account) as tx:
        made = await people.create_user(tx, OURSELVES, email=email, name=name, role=role)
    assert made.invitation is not None
    return made.invitation


async def invite_user(url: str, account: str, email: str) -> Invitation:
    """Another invitation, in place of the last."""
    async with _inside(url, account) as tx:
        person = await people.person_named(tx, email)
        invited = await people.change_user(tx, OURSELVES, person.id, {}, invite=True)
    assert invited.invitation is not None
    return invited.invitation


async def set_password(url: str, account: str, email: str, password: str) -> None:
    hashed = await Passwords().hashed(checked_password(password, "password"))
    async with _inside(url, account) as tx:
        await people.set_password(tx, OURSELVES, email, hashed)


async def create_token(
    url: str, account: str, name: str, role: Role | None, scopes: Sequence[str]
) -> str:
    """The token itself."""
    wanted = [_scope(word) for word in scopes]
    async with _inside(url, account) as tx:
        return await accounts.create_token(tx, name, role=role, scopes=wanted, actor=SYSTEM)


async def account_named(database: Database, code: str) -> UUID:
    """Raises Refusal when there is no account of that code."""
    account_id = await accounts.account_of(database, code)
    if account_id is None:
        raise Refusal(f"There is no account {code}. Make it with `renkei account create`.")
    return account_id


@asynccontextmanager
async def _inside(url: str, code: str) -> AsyncIterator[Tx]:
    """A transaction of the account. Raises Refusal when there is none of that code."""
    async with (
        opened(url) as database,
        database.transaction(await account_named(database, code)) as tx,
    ):
        yield tx


def _scope(word: str) -> Permission:
    """`stock:read` and STOCK_READ are the same."""
    try:
        return Permission(word.upper().replace(":", "_"))
    except ValueError:
        known = ", ".join(scope.value.lower().replace("_", ":", 1) for scope in Permission)
        raise Refusal(f"There is no scope {word}. Choose from: {known}.") from None
