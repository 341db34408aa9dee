"""担当者 The people of an account: made, changed, invited. Nobody gives more than they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.model.actors import SYSTEM, Actor
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role, check_covered
from domain.model.texts import checked_name
from domain.services.accounts import mail_address
from domain.services.edits import not_found
from domain.services.secret_words import hash_of, new_secret
from domain.store import logs, people, sessions
from domain.store.database import Tx
from domain.store.people import Person

INVITATION_PREFIX = "ri_"
INVITATION_LASTS = timedelta(hours=72)
EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Giver:
    """Who changes people, and what they hold themselves."""

    actor: Actor
    permissions: frozenset[Permission]


OURSELVES = Giver(SYSTEM, EVERYTHING)
"""Who has the machine in their hands: the command line."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """`secret` is told this once; with it a person chooses a password, until then."""

    secret: str
    until: datetime

    def address(self, public_url: str) -> str:
        """The page on which they choose it; what stands behind # never leaves their browser."""
        return f"{public_url.rstrip('/')}/auth/invitation#{self.secret}"


@dataclass(frozen=True, slots=True)
class SavedPerson:
    id: UUID
    invitation: Invitation | None = None


async def create_user(
    tx: Tx,
    giver: Giver,
    *,
    email: str,
    name: str,
    role: Role,
    locale: Locale | None = None,
) -> SavedPerson:
    """With an invitation. Raises DomainError REQUIRED, INVALID_VALUE, CODE_TAKEN or EXCEEDS_RIGHTS."""
    check_covered(PERMISSIONS[role], giver.permissions, "role")
    address, known_as = mail_address(email, "email"), checked_name(name)
    await people.hold(tx)
    await _check_free(tx, address, None)
    user_id = await people.insert(tx, address, known_as, role, locale)
    facts = {"email": address, "name": known_as, "role": role.value}
    await _note(tx, giver, "CREATE_USER", user_id, facts)
    return SavedPerson(user_id, await _invited(tx, user_id))


async def change_user(
    tx: Tx, giver: Giver, user_id: UUID, changes: Mapping[str, Any], *, invite: bool = False
) -> SavedPerson:
    """`changes`: name, email, role, locale, disabled, as many as change. Who is disabled is signed out everywhere.

    Raises DomainError NOT_FOUND, REQUIRED, INVALID_VALUE, CODE_TAKEN, EXCEEDS_RIGHTS or LAST_OWNER.
    """
    await people.hold(tx)
    before = await people.one(tx, user_id)
    if before is None:
        raise not_found("person", "id")
    after = await _changed(tx, giver, before, changes)
    if after != before:
        await people.save(tx, after)
        await _note(tx, giver, "SAVE_USER", user_id, _facts(before, after))
    if after.disabled:
        await sessions.end_all(tx, user_id)
    return SavedPerson(user_id, await _invited_anew(tx, giver, after) if invite else None)


async def set_password(tx: Tx, giver: Giver, email: str, password_hash: str) -> None:
    """For who cannot be reached otherwise; they are signed out everywhere. Raises DomainError NOT_FOUND."""
    person = await person_named(tx, email)
    await people.set_password(tx, person.id, password_hash)
    await sessions.end_all(tx, person.id)
    await _note(tx, giver, "SET_PASSWORD", person.id, {"name": person.name})


async def person_named(tx: Tx, email: str) -> Person:
    """By mail address. Raises DomainError NOT_FOUND."""
    person = await people.named(tx, mail_address(email, "email"))
    if person is None:
        raise DomainError(f"There is no user {email}.", code="NOT_FOUND", field=("email",))
    return person


async def _changed(tx: Tx, giver: Giver, before: Person, changes: Mapping[str, Any]) -> Person:
    """Raises DomainError, see `change_user`."""
    check_covered(PERMISSIONS[before.role], giver.permissions, "id")
    after = replace(before, **changes)
    check_covered(PERMISSIONS[after.role], giver.permissions, "role")
    after = replace(after, name=checked_name(after.name), email=mail_address(after.email, "email"))
    await _check_free(tx, after.email, before.id)
    if _rules(before) and not _rules(after) and not await people.has_other_owners(tx, before.id):
        raise _last_owner("disabled" if after.disabled else "role")
    return after


async def _check_free(tx: Tx, email: str, user_id: UUID | None) -> None:
    """Raises DomainError CODE_TAKEN."""
    person = await people.named(tx, email)
    if person is not None and person.id != user_id:
        raise DomainError(
            f"{email} belongs to a user of this account already.",
            field=("email",),
            code="CODE_TAKEN",
            value=email,
        )


async def _invited_anew(tx: Tx, giver: Giver, person: Person) -> Invitation:
    """Raises DomainError INVALID_VALUE for someone disabled."""
    if person.disabled:
        raise DomainError(
            "Who is disabled cannot be invited: enable them first.", field=("invite",)
        )
    await _note(tx, giver, "INVITE_USER", person.id, {"name": person.name})
    return await _invited(tx, person.id)


async def _invited(tx: Tx, user_id: UUID) -> Invitation:
    secret = new_secret(INVITATION_PREFIX)
    return Invitation(secret, await people.invite(tx, user_id, hash_of(secret), INVITATION_LASTS))


async def _note(tx: Tx, giver: Giver, action: str, user_id: UUID, facts: Mapping[str, Any]) -> None:
    await logs.operation(tx, giver.actor.as_json(), action, "USER", [(user_id, facts)])


def _facts(before: Person, after: Person) -> Mapping[str, Any]:
    """`email_before`: where they sign in with another address from now on."""
    facts = {"email": after.email, "name": after.name, "role": after.role.value}
    moved = {"email_before": before.email} if before.email != after.email else {}
    return {**facts, "disabled": after.disabled, **moved}


def _rules(person: Person) -> bool:
    return person.role is Role.OWNER and not person.disabled


def _last_owner(field: str) -> DomainError:
    return DomainError(
        "An account keeps one owner who is not disabled: make someone else an owner first.",
        code="LAST_OWNER",
        field=(field,),
    )
