"""The people of an account: made, changed, invited."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.model.actors import Actor, ActorKind
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import people
from domain.services.people import OURSELVES, Giver
from domain.services.secret_words import hash_of
from domain.store.database import Database, Tx
from tests.domain.services.rows import operations, row, rows

OWNER = Giver(Actor(ActorKind.USER, "Hanako"), PERMISSIONS[Role.OWNER])
ONLY_USERS = Giver(Actor(ActorKind.TOKEN, "HR"), PERMISSIONS[Role.STAFF] | {Permission.USERS})


async def made(tx: Tx, email: str, role: Role = Role.OWNER) -> UUID:
    return (await people.create_user(tx, OURSELVES, email=email, name="Mai", role=role)).id


async def everyone(tx: Tx) -> list[dict[str, Any]]:
    return await rows(
        tx,
        "SELECT email, name, role, locale, disabled_at IS NOT NULL AS disabled FROM users ORDER BY id",
    )


async def test_a_mail_address_is_one_user_of_an_account_however_it_is_written(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        await people.create_user(
            tx, OWNER, email=" Hanako@Example.com ", name=" Hanako ", role=Role.OWNER
        )
        other = await made(tx, "mai@example.com")
        with pytest.raises(DomainError) as again:
            await made(tx, "hanako@example.COM")
        with pytest.raises(DomainError) as moved:
            await people.change_user(tx, OWNER, other, {"email": "HANAKO@example.com"})
        [hanako, mai] = await everyone(tx)
        logged = await operations(tx)

    assert hanako == {
        "email": "hanako@example.com",
        "name": "Hanako",
        "role": "OWNER",
        "locale": None,
        "disabled": False,
    }
    assert mai["email"] == "mai@example.com"
    for refused in (again, moved):
        assert (refused.value.code, refused.value.field) == ("CODE_TAKEN", ("email",))
    assert logged == ["CREATE_ACCOUNT", "CREATE_USER", "CREATE_USER"]


async def test_another_mail_address_stands_in_the_log_beside_the_one_before(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        mai = await made(tx, "mai@example.com", Role.STAFF)
        for email in ("mai@example.jp", "mai@example.jp "):
            await people.change_user(tx, OWNER, mai, {"email": email, "name": "Mai Sato"})
        logged = await rows(
            tx, "SELECT facts FROM operation_logs WHERE action = 'SAVE_USER' ORDER BY id"
        )

    said = {"email": "mai@example.jp", "name": "Mai Sato", "role": "STAFF", "disabled": False}
    assert [each["facts"] for each in logged] == [said | {"email_before": "mai@example.com"}]


@pytest.mark.parametrize("email", ["", "hanako", "a b@example.com", "@example.com", "a@"])
async def test_what_cannot_be_a_mail_address_is_refused(db: Database, account: UUID, email):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await made(tx, email)

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("email",))


async def test_a_person_is_changed_in_what_is_said(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await made(tx, "owner@example.com")
        mai = await made(tx, "mai@example.com", Role.STAFF)
        await people.change_user(tx, OWNER, mai, {"name": "舞", "locale": Locale.JA})
        await people.change_user(tx, OWNER, mai, {"role": Role.VIEWER, "email": "Mai@tea.example"})
        [_, now] = await everyone(tx)
        before = await operations(tx)
        await people.change_user(tx, OWNER, mai, {"name": " 舞 "})
        assert await operations(tx) == before

    assert now == {
        "email": "mai@tea.example",
        "name": "舞",
        "role": "VIEWER",
        "locale": "JA",
        "disabled": False,
    }
    assert before[-2:] == ["SAVE_USER", "SAVE_USER"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, ("REQUIRED", ("name",))),
        ({"name": "長" * 256}, ("INVALID_VALUE", ("name",))),
        ({"email": "mai"}, ("INVALID_VALUE", ("email",))),
        ({"role": Role.STAFF}, ("LAST_OWNER", ("role",))),
        ({"disabled": True}, ("LAST_OWNER", ("disabled",))),
    ],
)
async def test_what_may_not_be_is_refused(db: Database, account: UUID, changes, error):
    """Someone disabled is an owner no more."""
    async with db.transaction(account) as tx:
        gone = await made(tx, "gone@example.com")
        mai = await made(tx, "mai@example.com")
        await people.change_user(tx, OWNER, gone, {"disabled": True})
        before = await everyone(tx)
        with pytest.raises(DomainError) as refused:
            await people.change_user(tx, OWNER, mai, changes)
        assert await everyone(tx) == before

    assert (refused.value.code, refused.value.field) == error


async def test_another_accounts_person_is_not_there(
    db: Database, account: UUID, another_account: UUID
):
    async with db.transaction(another_account) as tx:
        theirs = await made(tx, "mai@example.com")
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await people.change_user(tx, OWNER, theirs, {"name": "Ours"})

    assert refused.value.code == "NOT_FOUND"


async def test_an_owner_may_go_when_another_is_there(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first = await made(tx, "first@example.com")
        await made(tx, "second@example.com")
        await people.change_user(tx, OWNER, first, {"disabled": True})
        assert [each["disabled"] for each in await everyone(tx)] == [True, False]
        await people.change_user(tx, OWNER, first, {"disabled": False})
        assert [each["disabled"] for each in await everyone(tx)] == [False, False]


async def test_of_two_owners_who_go_at_once_one_stays(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        both = [await made(tx, "first@example.com"), await made(tx, "second@example.com")]

    async def leave(user_id: UUID) -> str:
        try:
            async with db.transaction(account) as tx:
                await people.change_user(tx, OWNER, user_id, {"role": Role.STAFF})
        except DomainError as refused:
            return refused.code
        return "gone"

    assert sorted(await asyncio.gather(*map(leave, both))) == ["LAST_OWNER", "gone"]


@pytest.mark.parametrize(
    ("case", "role", "changes", "invite"),
    [
        ("is not raised", Role.STAFF, {"role": Role.OWNER}, False),
        ("is not touched", Role.OWNER, {"name": "Mine"}, False),
        ("is not taken over", Role.OWNER, {}, True),
    ],
)
async def test_who_holds_more_than_the_giver(
    db: Database, account: UUID, case: str, role: Role, changes: Any, invite: bool
):
    async with db.transaction(account) as tx:
        await made(tx, "owner@example.com")
        mai = await made(tx, "mai@example.com", role)
        before = await rows(tx, "SELECT to_jsonb(u) FROM users u ORDER BY id")
        with pytest.raises(DomainError) as refused:
            await people.change_user(tx, ONLY_USERS, mai, changes, invite=invite)
        assert await rows(tx, "SELECT to_jsonb(u) FROM users u ORDER BY id") == before, case

    assert refused.value.code == "EXCEEDS_RIGHTS"
    assert refused.value.params == {"rights": ["SETTINGS", "SHOPS", "SYNC_SWITCH"]}


async def test_nobody_makes_someone_who_may_do_more(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await people.create_user(
                tx, ONLY_USERS, email="a@example.com", name="A", role=Role.OWNER
            )
        await people.create_user(tx, ONLY_USERS, email="a@example.com", name="A", role=Role.STAFF)

    assert (refused.value.code, refused.value.field) == ("EXCEEDS_RIGHTS", ("role",))


async def test_an_invitation_is_kept_as_its_hash_and_replaced_by_the_next(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        first = await people.create_user(
            tx, OWNER, email="mai@example.com", name="Mai", role=Role.STAFF
        )
        second = await people.change_user(tx, OWNER, first.id, {}, invite=True)
        kept = await row(
            tx,
            "SELECT invitation_hash, invitation_until, invitation_until - clock_timestamp() "
            "BETWEEN interval '71 hours' AND interval '72 hours' AS in_three_days FROM users",
        )
        whole = await rows(
            tx,
            "SELECT u::text AS it FROM users u UNION ALL SELECT l::text FROM operation_logs l",
        )

    assert first.invitation is not None
    assert second.invitation is not None
    assert kept == {
        "invitation_hash": hash_of(second.invitation.secret),
        "invitation_until": second.invitation.until,
        "in_three_days": True,
    }
    for secret in (first.invitation.secret, second.invitation.secret):
        assert secret.startswith("ri_")
        assert all(secret not in each["it"] for each in whole)


@pytest.mark.parametrize(
    ("case", "changes", "invite", "holds"),
    [
        ("another address", {"email": "mai@example.jp"}, False, None),
        ("another address, invited there", {"email": "mai@example.jp"}, True, "the new one"),
        ("the same address", {"email": " MAI@example.com", "name": "舞"}, False, "the old one"),
    ],
)
async def test_an_invitation_sent_to_another_address_does_not_hold(
    db: Database, account: UUID, case: str, changes: Any, invite: bool, holds: str | None
):
    """Whoever reads the mail of the old address could choose the password of the new one."""
    async with db.transaction(account) as tx:
        old = await people.create_user(
            tx, OWNER, email="mai@example.com", name="Mai", role=Role.STAFF
        )
        new = await people.change_user(tx, OWNER, old.id, changes, invite=invite)
        kept = await row(tx, "SELECT invitation_hash, invitation_until FROM users")

    standing = {"the old one": old.invitation, "the new one": new.invitation, None: None}[holds]
    assert kept == {
        "invitation_hash": standing and hash_of(standing.secret),
        "invitation_until": standing and standing.until,
    }, case


async def test_who_is_disabled_is_not_invited(db: Database, account: UUID):
    """Nor does an invitation of before hold."""
    async with db.transaction(account) as tx:
        mai = await made(tx, "mai@example.com", Role.STAFF)
        await people.change_user(tx, OWNER, mai, {"disabled": True})
        with pytest.raises(DomainError) as refused:
            await people.change_user(tx, OWNER, mai, {}, invite=True)
        kept = await row(tx, "SELECT invitation_hash, invitation_until FROM users")

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("invite",))
    assert kept == {"invitation_hash": None, "invitation_until": None}
