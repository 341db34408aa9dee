"""What else is served beside GraphQL, and what happens when something breaks."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest
import structlog

from api.app import create_app
from domain.model.actors import SYSTEM
from domain.model.clocks import own_time
from domain.model.malls import MallKind
from domain.services import consents, shops
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database
from renkei.engines.postgres import APP, Postgres
from tests.api.transport.conftest import ORIGIN
from tests.api.transport.serving import Api

WHO = {"query": "{ viewer { locale } }"}
SHOPS = {"query": "{ shops { id } }"}
BACK = f"{ORIGIN}/shops/1?tab=connection"


def of_owner(database: Postgres, name: str = "renkei") -> str:
    return database.url(name).replace("+asyncpg", "")


async def test_the_root_leads_to_the_explorer(api: Api) -> None:
    answer = await api.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/graphql")


async def test_an_unknown_address_says_where_the_api_is(api: Api) -> None:
    answer = await api.http.get("/graphqll")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert "/graphql" in answer.json()["errors"][0]["message"]


async def test_a_process_that_serves_is_up_and_ready(api: Api) -> None:
    assert (await api.http.get("/healthz")).json() == {"status": "up"}
    assert (await api.http.get("/readyz")).json() == {"status": "ready"}


async def test_without_its_database_it_is_up_and_says_come_back(
    settings: Settings, api: Api
) -> None:
    away = replace(settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/renkei")
    async with api.elsewhere(create_app(away)) as here:
        assert (await here.http.get("/healthz")).status_code == 200
        unready = await here.http.get("/readyz")
        assert (unready.status_code, unready.json()["status"]) == (503, "unready")
        answer = await here.post(WHO)
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_an_older_database_makes_it_unready(
    settings: Settings, api: Api, database: Postgres
) -> None:
    owner = await asyncpg.connect(of_owner(database))
    await owner.execute("CREATE DATABASE never_migrated")
    try:
        older = replace(settings, database_url=database.url("never_migrated", user=APP))
        async with api.elsewhere(create_app(older)) as here:
            unready = await here.http.get("/readyz")
            assert unready.status_code == 503
            assert "renkei migrate" in unready.json()["reason"]
    finally:
        await owner.execute("DROP DATABASE never_migrated WITH (FORCE)")
        await owner.close()


async def test_what_breaks_is_told_by_an_id_that_the_log_knows(
    api: Api, database: Postgres
) -> None:
    owner = await asyncpg.connect(of_owner(database))
    await owner.execute("REVOKE SELECT ON shops FROM renkei_app")
    try:
        with structlog.testing.capture_logs() as logs:
            english = await api.post(SHOPS)
            japanese = await api.post(SHOPS, accept_language="ja")
    finally:
        await owner.execute("GRANT SELECT ON shops TO renkei_app")
        await owner.close()
    error = english.json()["errors"][0]
    assert (english.status_code, error["extensions"]["code"]) == (500, "INTERNAL")
    assert error["extensions"]["id"] in [entry.get("id") for entry in logs]
    assert error["message"].startswith("Something went wrong on our side")
    assert japanese.json()["errors"][0]["message"].startswith("サーバー側で問題が起きました")
    assert "shops" not in english.text
    assert api.token not in str(logs)


@pytest.mark.parametrize(
    ("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://evil.example.com", None)]
)
async def test_pages_of_allowed_origins_may_ask(api: Api, origin: str, allowed: str | None) -> None:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    before = await api.http.options("/graphql", headers=asked)
    assert before.headers.get("access-control-allow-origin") == allowed
    answer = await api.post(WHO, origin=origin)
    assert answer.headers.get("access-control-allow-origin") == allowed


async def sent_away(db: Database, settings: Settings, account: UUID) -> str:
    """The state with which a seller of Yahoo! was sent to the mall's page."""
    vault = Vault(settings.secret_key)
    keys = {"client_id": "our-app", "client_secret": "secret"}
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(
            tx, vault, SYSTEM, MallKind.YAHOO_SHOPPING, "Tea", keys, {"seller_id": "tea"}
        )
        here = f"{settings.public_url}/connect/yahoo_shopping"
        url, _ = await consents.start_consent(
            tx, vault, SYSTEM, shop.id, BACK, here, settings.allowed_origins, now=own_time()
        )
    [state] = parse_qs(urlsplit(url).query)["state"]
    return state


@pytest.mark.parametrize("name", ["code", "spapi_oauth_code"])
async def test_the_mall_sends_the_seller_back_and_we_send_them_on(
    api: Api, db: Database, settings: Settings, account: UUID, name: str
) -> None:
    state = await sent_away(db, settings, account)
    with structlog.testing.capture_logs() as logs:
        answer = await api.http.get(
            "/connect/yahoo_shopping", params={"state": state, name: "the-code"}
        )
    assert (answer.status_code, answer.headers["location"]) == (303, BACK)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "the-code" not in str(logs)


@pytest.mark.parametrize(
    ("case", "mall", "state"),
    [
        ("no state", "yahoo_shopping", ""),
        ("a state of nobody", "yahoo_shopping", f"{'0' * 32}.x"),
        ("no mall of ours", "ebay", "KNOWN"),
    ],
)
async def test_a_return_that_we_do_not_know_is_a_page_that_says_so(
    api: Api, db: Database, settings: Settings, account: UUID, case: str, mall: str, state: str
) -> None:
    known = await sent_away(db, settings, account)
    params = {"state": state.replace("KNOWN", known), "code": "the-code"}
    english = await api.http.get(
        f"/connect/{mall}", params=params, headers={"accept-language": "en"}
    )
    japanese = await api.http.get(f"/connect/{mall}", params=params)
    assert (english.status_code, japanese.status_code) == (400, 400), case
    assert "start it again" in english.text
    assert "もう一度やり直してください" in japanese.text


async def test_a_return_serves_once(
    api: Api, db: Database, settings: Settings, account: UUID
) -> None:
    params = {"state": await sent_away(db, settings, account), "code": "the-code"}
    assert (await api.http.get("/connect/yahoo_shopping", params=params)).status_code == 303
    assert (await api.http.get("/connect/yahoo_shopping", params=params)).status_code == 400
