"""Accounts, people and tokens."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.model.actors import Actor, ActorKind
from domain.model.errors import DomainError
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import accounts
from domain.store.database import Database
from tests.domain.services.rows import OWNER, operations, row, rows


async def test_an_account_is_found_by_its_code(db: Database):
    code = f"tea-{secrets.token_hex(4)}"

    account = await accounts.create_account(db, code, " Tea House ", product_limit=500)

    assert await accounts.account_of(db, code) == account
    assert await accounts.account_of(db, code + "x") is None
    async with db.transaction(account) as tx:
        [made] = await rows(tx, "SELECT name, product_limit FROM accounts")
        assert made == {"name": "Tea House", "product_limit": 500}
        assert await operations(tx) == ["CREATE_ACCOUNT"]


async def test_an_account_code_is_taken_once(db: Database):
    code = f"tea-{secrets.token_hex(4)}"
    account = await accounts.create_account(db, code, "Tea House")

    with pytest.raises(DomainError) as refused:
        await accounts.create_account(db, code, "Another")

    assert (refused.value.code, refused.value.field) == ("CODE_TAKEN", ("code",))
    assert await accounts.account_of(db, code) == account


@pytest.mark.parametrize(
    ("code", "name", "error"),
    [
        ("", "Tea", ("INVALID_VALUE", ("code",))),
        ("two words", "Tea", ("INVALID_VALUE", ("code",))),
        ("-tea", "Tea", ("INVALID_VALUE", ("code",))),
        ("t" * 41, "Tea", ("INVALID_VALUE", ("code",))),
        ("tea-without-a-name", "  ", ("REQUIRED", ("name",))),
    ],
)
async def test_what_cannot_be_an_account_is_refused(db: Database, code, name, error):
    with pytest.raises(DomainError) as refused:
        await accounts.create_account(db, code, name)

    assert (refused.value.code, refused.value.field) == error
    assert await accounts.account_of(db, code) is None


async def test_a_mail_address_is_one_user_of_an_account_however_it_is_written(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        await accounts.create_user(tx, " Hanako@Example.com ", "Hanako", Role.OWNER, actor=OWNER)
        [made] = await rows(tx, "SELECT email, name, role FROM users")
        with pytest.raises(DomainError) as refused:
            await accounts.create_user(tx, "hanako@example.COM", "Again", Role.STAFF)
        logged = await operations(tx)

    assert made == {"email": "hanako@example.com", "name": "Hanako", "role": "OWNER"}
    assert (refused.value.code, refused.value.field) == ("CODE_TAKEN", ("email",))
    assert logged == ["CREATE_ACCOUNT", "CREATE_USER"]


@pytest.mark.parametrize("email", ["", "hanako", "a b@example.com", "@example.com", "a@"])
async def test_what_cannot_be_a_mail_address_is_refused(db: Database, account: UUID, email):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await accounts.create_user(tx, email, "Hanako", Role.OWNER)

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("email",))


async def test_a_token_says_who_asks_and_what_they_may(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        staff = await accounts.create_token(tx, "Warehouse", role=Role.STAFF, actor=OWNER)
        partner = await accounts.create_token(
            tx, "Partner", scopes=[Permission.STOCK_READ], actor=OWNER
        )
        ids = {
            each["name"]: each["id"] for each in await rows(tx, "SELECT id, name FROM api_tokens")
        }

    warehouse = Actor(ActorKind.TOKEN, "Warehouse", ids["Warehouse"])
    by_partner = Actor(ActorKind.TOKEN, "Partner", ids["Partner"])
    assert await accounts.authenticate(db, staff) == accounts.Authenticated(
        account, warehouse, PERMISSIONS[Role.STAFF]
    )
    assert await accounts.authenticate(db, partner) == accounts.Authenticated(
        account, by_partner, frozenset({Permission.STOCK_READ})
    )


async def test_a_token_is_kept_as_its_hash_alone(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        token = await accounts.create_token(tx, "Warehouse", role=Role.STAFF, actor=OWNER)
        kept = await rows(tx, "SELECT t::text AS whole FROM api_tokens t")
        logged = await rows(tx, "SELECT facts::text AS whole FROM operation_logs")

    assert token.startswith("rk_")
    assert len(token) >= 3 + 43
    assert all(token not in each["whole"] for each in kept + logged)


@pytest.mark.parametrize(
    ("role", "scopes", "code"),
    [
        (None, None, "REQUIRED"),
        (None, [], "REQUIRED"),
        (Role.STAFF, [Permission.READ], "INVALID_VALUE"),
    ],
)
async def test_a_token_has_a_role_or_scopes(db: Database, account: UUID, role, scopes, code):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await accounts.create_token(tx, "Partner", role=role, scopes=scopes, actor=OWNER)

    assert refused.value.code == code


async def test_a_token_that_ended_is_nobodys(db: Database, account: UUID):
    past = datetime.now(UTC) - timedelta(seconds=1)
    async with db.transaction(account) as tx:
        expired = await accounts.create_token(
            tx, "Old", role=Role.STAFF, expires_at=past, actor=OWNER
        )
        living = await accounts.create_token(tx, "New", role=Role.STAFF, actor=OWNER)
        revoked = await accounts.create_token(tx, "Gone", role=Role.STAFF, actor=OWNER)
        gone = await row(tx, "SELECT id FROM api_tokens WHERE name = 'Gone'")
        assert await accounts.revoke_tokens(tx, [gone["id"]], actor=OWNER) == [gone["id"]]
        assert await accounts.revoke_tokens(tx, [gone["id"]], actor=OWNER) == []

    assert await accounts.authenticate(db, expired) is None
    assert await accounts.authenticate(db, revoked) is None
    assert await accounts.authenticate(db, living + "x") is None
    assert await accounts.authenticate(db, "Basic something") is None
    assert await accounts.authenticate(db, living) is not None


async def test_the_last_use_of_a_token_is_noted_once_a_minute(db: Database, account: UUID):
    async def last_used() -> datetime:
        async with db.transaction(account) as tx:
            found = await row(tx, "SELECT last_used_at FROM api_tokens")
        at: datetime = found["last_used_at"]
        return at

    async with db.transaction(account) as tx:
        token = await accounts.create_token(tx, "Warehouse", role=Role.STAFF, actor=OWNER)
    await accounts.authenticate(db, token)
    first = await last_used()

    await accounts.authenticate(db, token)
    assert await last_used() == first

    async with db.transaction(account) as tx:
        await rows(
            tx,
            "UPDATE api_tokens SET last_used_at = :at WHERE account_id = :account RETURNING id",
            at=first - timedelta(minutes=1),
        )
    await accounts.authenticate(db, token)
    assert await last_used() > first - timedelta(minutes=1)
