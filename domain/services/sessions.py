"""People sign in and out, and choose the passwords they sign in with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from domain.model.actors import Actor, ActorKind
from domain.model.errors import DomainError
from domain.model.passwords import checked_password
from domain.services import attempts
from domain.services.callers import SESSION_PREFIX, Authenticated
from domain.services.passwords import Passwords, Verdict
from domain.services.people import INVITATION_PREFIX
from domain.services.secret_words import hash_of, new_secret
from domain.store import accounts, logs, people, sessions
from domain.store.database import Database, Tx
from domain.store.people import Login

LIVES = timedelta(days=30)
MOST_SESSIONS = 20
"""Of one person; the one not used longest makes room."""


class SignInFailed(DomainError):
    """The same for an unknown account, an unknown address, a wrong password and someone disabled."""

    code = "SIGN_IN_FAILED"

    def __init__(self) -> None:
        super().__init__(
            "The account, mail address or password is not right. After too many attempts, ask an owner for a new "
            "invitation."
        )


class InvitationOver(DomainError):
    code = "INVITATION_OVER"

    def __init__(self) -> None:
        super().__init__(
            "This invitation was used, is over, or was replaced by a newer one. Ask an owner for another."
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """`token` is told this once."""

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person enters. `account`: its code."""

    account: str
    email: str
    password: str


async def sign_in(
    db: Database, passwords: Passwords, entered: Credentials, *, source: str
) -> Opened:
    """A session of its own. `source`: the address it is asked from. Raises SignInFailed or TooManyAttempts."""
    email = entered.email.strip().casefold()
    await attempts.count_sign_in(db, entered.account, email, source)
    account_id, login = await _login(db, entered.account, email)
    verdict = await passwords.compared(login.password_hash if login else None, entered.password)
    if login is None or login.password_hash is None or not verdict.right:
        raise SignInFailed
    async with db.transaction(account_id) as tx:
        return await _open(tx, login.id, login.password_hash, verdict)


async def sign_out(db: Database, caller: Authenticated) -> None:
    """Ends the caller's session; a token of an API is nobody's session and stays."""
    if caller.session is not None:
        async with db.transaction(caller.account_id) as tx:
            await sessions.end(tx, caller.session)


async def change_password(
    db: Database, passwords: Passwords, caller: Authenticated, current: str, new: str
) -> None:
    """One's own; the other sessions end. Raises SignInFailed, TooManyAttempts, DomainError INVALID_VALUE."""
    chosen = checked_password(new, "password")
    user_id = caller.actor.id
    await attempts.count_own_password(db, caller.account_id, user_id)
    async with db.transaction(caller.account_id) as tx:
        login = await people.login(tx, user_id=user_id)
    kept = login.password_hash if login else None
    if login is None or kept is None or not (await passwords.compared(kept, current)).right:
        raise SignInFailed
    hashed = await passwords.hashed(chosen)
    async with db.transaction(caller.account_id) as tx:
        if not await people.change_password(tx, login.id, kept, hashed):
            raise SignInFailed
        await sessions.end_all(tx, login.id, but=caller.session)
        await _note(tx, "CHANGE_PASSWORD", login.id, login.name)


async def take_up_invitation(
    db: Database, passwords: Passwords, secret: str, new: str, *, source: str
) -> str:
    """Sets a password and uses the invitation up; the mail address to sign in with.

    Raises InvitationOver, TooManyAttempts, DomainError INVALID_VALUE.
    """
    await attempts.count_source(db, source)
    invitation = hash_of(secret)
    async with db.connection() as connection:
        found = await people.invited(connection, invitation)
    if found is None or not secret.startswith(INVITATION_PREFIX):
        raise InvitationOver
    hashed = await passwords.hashed(checked_password(new, "password"))
    account_id, user_id = found
    async with db.transaction(account_id) as tx:
        taken = await people.take_up(tx, user_id, invitation, hashed)
        if taken is None:
            raise InvitationOver
        email, name = taken
        await sessions.end_all(tx, user_id)
        await _note(tx, "TAKE_UP_INVITATION", user_id, name)
    return email


async def _login(db: Database, code: str, email: str) -> tuple[UUID, Login | None]:
    """An account that is not there is looked into all the same: it answers as late as one that is."""
    async with db.connection() as connection:
        account_id = await accounts.id_of(connection, code) or uuid4()
    async with db.transaction(account_id) as tx:
        return account_id, await people.login(tx, email=email)


async def _open(tx: Tx, user_id: UUID, password_hash: str, verdict: Verdict) -> Opened:
    token = new_secret(SESSION_PREFIX)
    until = await sessions.open_session(tx, user_id, password_hash, hash_of(token), LIVES)
    if until is None:
        raise SignInFailed
    if verdict.anew is not None:
        await people.rehash(tx, user_id, password_hash, verdict.anew)
    await sessions.forget(tx, user_id, most=MOST_SESSIONS)
    return Opened(token, until)


async def _note(tx: Tx, action: str, user_id: UUID, name: str) -> None:
    actor = Actor(ActorKind.USER, name, user_id)
    await logs.operation(tx, actor.as_json(), action, "USER", [(user_id, {"name": name})])
