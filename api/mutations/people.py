"""担当者とAPIトークン People and tokens: made, changed, invited, revoked. Nobody gives more than they hold."""

from datetime import datetime
from typing import Any

import strawberry

from api.actors import ApiToken, User
from api.context import Connecting, Context
from api.fields import optional
from api.load import node
from api.mutations.edge import (
    answered,
    answered_once,
    given,
    named,
    row_ids,
    said,
    user_errors,
)
from api.mutations.inputs import KEY
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.roles import Permission, Role
from domain.services import accounts, people
from domain.services.people import Giver, SavedPerson
from domain.store.database import Tx


@strawberry.input(description="担当者の登録・変更: a person of the account.")
class SaveUserInput:
    id: strawberry.ID | None = optional(
        "Which person; left out: a new one, who needs `name`, `email` and `role` and is invited."
    )
    name: str | None = optional("Their name, which stands in the logs.")
    email: str | None = optional(
        "Their mail address, by which they sign in. With another one an open invitation ends: `invite` makes one anew."
    )
    role: Role | None = optional("What they are here; not above what the caller may do.")
    locale: Locale | None = optional(
        "The language they read where their browser names none of ours."
    )
    disabled: bool | None = optional("True: they can no longer sign in, and are signed out.")
    invite: bool | None = optional(
        "Another invitation in place of the last, so that they choose a new password."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="招待: what a person chooses their password with, once.")
class Invitation:
    secret: str = strawberry.field(
        description="For `POST /auth/password` of a frontend of your own."
    )
    address: str = strawberry.field(description="A page on which they choose it: send them this.")
    until: datetime = strawberry.field(description="Until when it is good.")


@strawberry.type(description="What became of a person.")
class SaveUserPayload:
    user: User | None = answered("The person as they are now.")
    invitation: Invitation | None = answered_once(
        "Of someone new, or where it was asked for; shown this once."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="APIトークンの作成: a program that may act for the account.")
class CreateApiTokenInput:
    name: str = strawberry.field(description="Its name, which stands in the logs.")
    role: Role | None = optional("The role whose rights it has; either this or `scopes`.")
    scopes: list[Permission] | None = optional("The rights it has; none that the caller has not.")
    expires_at: datetime | None = optional("Until when it is good; left out: until it is revoked.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="A new token.")
class CreateApiTokenPayload:
    api_token: ApiToken | None = answered("What is kept of it.")
    token: str | None = answered_once("The token itself; shown this once.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="APIトークンの失効: tokens that are to end.")
class RevokeApiTokensInput:
    ids: list[strawberry.ID] = strawberry.field(description="Their ids, at most 100.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="Tokens that have ended.")
class RevokeApiTokensPayload:
    api_tokens: list[ApiToken] | None = answered(
        "Those asked for, as they are now. Their sockets are closed within 5 seconds."
    )
    user_errors: list[UserError] = user_errors()


async def save_user(tx: Tx, context: Context, input: SaveUserInput) -> SaveUserPayload:
    user_id = named(input.id, "User", "id")
    giver = Giver(context.viewer.actor, context.viewer.permissions)
    changes = _changes(input)
    if user_id is None:
        saved = await people.create_user(tx, giver, **_whole(changes))
    else:
        invite = said(input.invite) is True
        saved = await people.change_user(tx, giver, user_id, changes, invite=invite)
    return SaveUserPayload(
        user=node("User", saved.id), invitation=_shown(saved, context.connecting)
    )


async def create_api_token(
    tx: Tx, context: Context, input: CreateApiTokenInput
) -> CreateApiTokenPayload:
    expires_at = said(input.expires_at)
    if expires_at is not None and expires_at <= context.now():
        raise DomainError("Choose an expiry that is yet to come.", field=("expires_at",))
    made = await accounts.issue_token(
        tx,
        context.viewer.actor,
        context.viewer.permissions,
        input.name,
        role=said(input.role),
        scopes=said(input.scopes),
        expires_at=expires_at,
    )
    return CreateApiTokenPayload(api_token=node("ApiToken", made.id), token=made.token)


async def revoke_api_tokens(
    tx: Tx, context: Context, input: RevokeApiTokensInput
) -> RevokeApiTokensPayload:
    token_ids = row_ids(input.ids, "ApiToken", "ids")
    await accounts.revoke_tokens(tx, token_ids, actor=context.viewer.actor)
    return RevokeApiTokensPayload(api_tokens=[node("ApiToken", each) for each in token_ids])


def _changes(input: SaveUserInput) -> dict[str, Any]:
    """What was said. Only a language can be taken away: null leaves the rest as it is."""
    told = given(input, "name", "email", "role", "locale", "disabled")
    return {name: value for name, value in told.items() if value is not None or name == "locale"}


def _whole(changes: dict[str, Any]) -> dict[str, Any]:
    """What a new person needs. Raises DomainError REQUIRED."""
    for name in ("name", "email", "role"):
        if name not in changes:
            raise DomainError(f"A new person needs a {name}.", code="REQUIRED", field=(name,))
    return {name: value for name, value in changes.items() if name != "disabled"}


def _shown(saved: SavedPerson, connecting: Connecting | None) -> Invitation | None:
    made = saved.invitation
    if made is None or connecting is None:
        return None
    address = made.address(connecting.public_url)
    return Invitation(secret=made.secret, address=address, until=made.until)
