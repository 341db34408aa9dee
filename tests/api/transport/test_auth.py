"""Who is let in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.auth import locale_of
from domain.model.actors import SYSTEM
from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.services import accounts
from domain.services.callers import authenticate
from domain.store import tokens
from domain.store.database import Database
from tests.api.transport.serving import Api

WHO = {"query": "{ viewer { permissions } }"}


@pytest.mark.parametrize(
    ("case", "header", "challenge"),
    [
        ("none", "", 'Bearer realm="renkei"'),
        ("another scheme", "Basic b3duZXI6c2VjcmV0", 'Bearer realm="renkei"'),
        ("no token", "Bearer", 'Bearer realm="renkei"'),
        ("spaces inside", "Bearer rk_a b", 'Bearer realm="renkei"'),
        ("not one of ours", "Bearer eyJhbGciOi", 'Bearer realm="renkei", error="invalid_token"'),
        ("unknown", "Bearer rk_unknown", 'Bearer realm="renkei", error="invalid_token"'),
    ],
)
async def test_who_has_no_living_token_is_told_how_to_get_one(
    api: Api, case: str, header: str, challenge: str
) -> None:
    answer = await api.post(WHO, authorization=header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge), case
    error = answer.json()["errors"][0]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "Authorization: Bearer" in error["message"]


async def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    assert (await api.post(WHO, authorization=f"bearer  {api.token}")).status_code == 200


async def test_a_token_does_what_its_scopes_say(api: Api, db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        api.token = await accounts.create_token(
            tx, "取引先", scopes=[Permission.STOCK_READ], actor=SYSTEM
        )
    body = (await api.post({"query": "{ shops { id } }"})).json()
    assert body["data"] == {"shops": None}
    assert body["errors"][0]["extensions"] == {
        "code": "FORBIDDEN",
        "params": {"permission": "READ"},
    }


async def test_a_token_ends_when_it_expires(api: Api, db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        api.token = await accounts.create_token(
            tx, "昔の", scopes=[Permission.READ], expires_at=yesterday, actor=SYSTEM
        )
    assert (await api.post(WHO)).status_code == 401


async def test_a_token_ends_when_it_is_revoked(api: Api, db: Database, account: UUID) -> None:
    assert (await api.post(WHO)).status_code == 200
    await revoke(db, account, api.token)
    assert (await api.post(WHO)).status_code == 401


async def revoke(db: Database, account: UUID, token: str) -> None:
    known = await authenticate(db, token)
    assert known is not None
    assert known.actor.id is not None
    async with db.transaction(account) as tx:
        assert await tokens.revoke(tx, [known.actor.id])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Locale.JA),
        ("", Locale.JA),
        ("en", Locale.EN),
        ("en-US,en;q=0.9", Locale.EN),
        ("ja-JP, en;q=0.8", Locale.JA),
        ("en;q=0.5, ja;q=0.6", Locale.JA),
        ("ja;q=0.5, en;q=0.6", Locale.EN),
        ("fr, de", Locale.JA),
        ("fr, en;q=0.1", Locale.EN),
        ("en;q=0", Locale.JA),
        ("en;q=1.2.3", Locale.JA),
        ("*;q=0.5, zz--, ;;;", Locale.JA),
    ],
)
def test_the_language_that_is_liked_best(header: str | None, expected: Locale) -> None:
    assert locale_of(header) is expected
