"""Who holds a token, and what they may do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.model.actors import Actor, ActorKind
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import accounts
from domain.services.callers import Authenticated, authenticate, note_use, still_allowed
from domain.services.secret_words import hash_of
from domain.store import people, sessions
from domain.store.database import Database
from tests.domain.services.rows import OWNER, row, rows
from tests.patience import PATIENCE_SECONDS

HASH = "a hash"


async def a_person(db: Database, account: UUID, role: Role = Role.STAFF) -> UUID:
    async with db.transaction(account) as tx:
        user_id = await people.insert(tx, "mai@example.com", "Mai", role, Locale.EN)
        await people.set_password(tx, user_id, HASH)
    return user_id


async def a_session(db: Database, account: UUID, user_id: UUID, token: str) -> UUID:
    async with db.transaction(account) as tx:
        lives = timedelta(days=1)
        assert await sessions.open_session(tx, user_id, HASH, hash_of(token), lives)
        found = await row(
            tx, "SELECT id FROM sessions WHERE token_hash = :hash", hash=hash_of(token)
        )
    session: UUID = found["id"]
    return session


async def change(db: Database, account: UUID, sql: str) -> None:
    async with db.transaction(account) as tx:
        assert await rows(tx, f"{sql} RETURNING id")


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
    assert await authenticate(db, staff) == Authenticated(
        account, warehouse, PERMISSIONS[Role.STAFF]
    )
    assert await authenticate(db, partner) == Authenticated(
        account, by_partner, frozenset({Permission.STOCK_READ})
    )


async def test_a_session_says_who_is_signed_in(db: Database, account: UUID):
    user_id = await a_person(db, account)
    session = await a_session(db, account, user_id, f"rs_{user_id}")

    mai = Actor(ActorKind.USER, "Mai", user_id)
    assert await authenticate(db, f"rs_{user_id}") == Authenticated(
        account, mai, PERMISSIONS[Role.STAFF], Locale.EN, session
    )
    assert await authenticate(db, f"rs_{user_id}x") is None
    assert await authenticate(db, f"rk_{user_id}") is None


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

    assert await authenticate(db, expired) is None
    assert await authenticate(db, revoked) is None
    assert await authenticate(db, living + "x") is None
    assert await authenticate(db, "Basic something") is None
    assert await authenticate(db, living) is not None
    assert set(await still_allowed(db, [expired, revoked, living, "x"])) == {living}


@pytest.mark.parametrize(
    ("case", "sql"),
    [
        ("too old", "UPDATE sessions SET expires_at = clock_timestamp()"),
        ("idle", "UPDATE sessions SET last_used_at = clock_timestamp() - interval '3 days'"),
        ("disabled", "UPDATE users SET disabled_at = clock_timestamp()"),
        ("signed out", "DELETE FROM sessions"),
    ],
)
async def test_a_session_that_is_over_is_nobodys(db: Database, account: UUID, case: str, sql: str):
    user_id = await a_person(db, account)
    token = f"rs_{user_id}"
    await a_session(db, account, user_id, token)
    assert set(await still_allowed(db, [token])) == {token}

    await change(db, account, sql)

    assert await authenticate(db, token) is None, case
    assert await still_allowed(db, [token]) == {}, case


async def test_another_role_counts_at_once(db: Database, account: UUID):
    user_id = await a_person(db, account)
    await a_session(db, account, user_id, f"rs_{user_id}")
    await change(db, account, "UPDATE users SET role = 'VIEWER'")

    known = await authenticate(db, f"rs_{user_id}")

    assert known is not None
    assert known.permissions == PERMISSIONS[Role.VIEWER]


LONG_AGO = "clock_timestamp() - interval '1 minute'"
Uses = Callable[[], Awaitable[list[datetime]]]


@pytest.fixture
async def held(db: Database, account: UUID) -> tuple[list[str], Uses]:
    """A token and a session, each used a minute ago, and when each was used last; then their person."""
    user_id = await a_person(db, account)
    await a_session(db, account, user_id, f"rs_{user_id}")
    async with db.transaction(account) as tx:
        token = await accounts.create_token(tx, "Warehouse", role=Role.STAFF, actor=OWNER)
    await change(db, account, f"UPDATE api_tokens SET last_used_at = {LONG_AGO}")
    await change(db, account, f"UPDATE sessions SET last_used_at = {LONG_AGO}")
    await change(db, account, f"UPDATE users SET last_seen_at = {LONG_AGO}")

    async def uses() -> list[datetime]:
        async with db.transaction(account) as tx:
            found = await row(
                tx,
                "SELECT t.last_used_at AS t, s.last_used_at AS s, u.last_seen_at AS u FROM api_tokens t, sessions s, users u",
            )
        return [found["t"], found["s"], found["u"]]

    return [token, f"rs_{user_id}"], uses


async def test_a_use_is_noted_once_a_minute(db: Database, held: tuple[list[str], Uses]):
    tokens, uses = held
    before = await uses()

    for token in tokens:
        await authenticate(db, token)
    first = await uses()
    for token in tokens:
        await authenticate(db, token)
    await note_use(db, tokens)

    assert [now > then for now, then in zip(first, before, strict=True)] == [True] * 3
    assert await uses() == first


async def test_a_first_use_is_noted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        token = await accounts.create_token(tx, "Warehouse", role=Role.STAFF, actor=OWNER)
    await authenticate(db, token)
    async with db.transaction(account) as tx:
        assert (await row(tx, "SELECT last_used_at FROM api_tokens"))["last_used_at"]


async def test_looking_again_is_no_use(db: Database, held: tuple[list[str], Uses]):
    tokens, uses = held
    before = await uses()

    assert set(await still_allowed(db, tokens)) == set(tokens)

    assert await uses() == before


async def test_nobody_waits_to_note_a_use(
    db: Database, account: UUID, held: tuple[list[str], Uses]
):
    """While another holds the rows the note is left to the next time."""
    tokens, uses = held
    before = await uses()
    async with db.transaction(account) as tx:
        for table in ("api_tokens", "sessions", "users"):
            await rows(tx, f"SELECT id FROM {table} FOR UPDATE")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(authenticate(db, token) for token in tokens))
    assert await uses() == before
