"""Accounts, and the tokens of their programs."""

import secrets
from uuid import UUID

import pytest

from domain.model.errors import DomainError
from domain.model.roles import Permission, Role
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


@pytest.mark.parametrize(
    ("role", "scopes", "beyond"),
    [
        (None, [Permission.STOCK_WRITE], ["STOCK_WRITE"]),
        (None, [Permission.READ, Permission.USERS, Permission.SHOPS], ["SHOPS"]),
        (Role.VIEWER, None, ["STOCK_READ"]),
    ],
)
async def test_nobody_gives_a_token_more_than_they_hold(
    db: Database, account: UUID, role, scopes, beyond
):
    held = frozenset({Permission.READ, Permission.USERS})
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await accounts.issue_token(tx, OWNER, held, "Partner", role=role, scopes=scopes)
        made = await rows(tx, "SELECT id FROM api_tokens")

    assert (refused.value.code, refused.value.params) == ("EXCEEDS_RIGHTS", {"rights": beyond})
    assert made == []


async def test_who_holds_a_right_gives_it(db: Database, account: UUID):
    held = frozenset({Permission.READ, Permission.USERS})
    async with db.transaction(account) as tx:
        made = await accounts.issue_token(
            tx, OWNER, held, " Partner ", scopes=[Permission.READ, Permission.READ]
        )
        kept = await row(tx, "SELECT id, name, scopes, role FROM api_tokens")

    assert kept == {"id": made.id, "name": "Partner", "scopes": ["READ"], "role": None}


@pytest.mark.parametrize(("name", "error"), [("  ", "REQUIRED"), ("長" * 256, "INVALID_VALUE")])
async def test_a_token_has_a_name(db: Database, account: UUID, name: str, error: str):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await accounts.create_token(tx, name, role=Role.STAFF, actor=OWNER)

    assert (refused.value.code, refused.value.field) == (error, ("name",))
