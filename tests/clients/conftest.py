"""Clients of frontends, run by Node against a real API with real engines. Without Node they are skipped; never in CI."""

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import pytest

from api.schema import print_sdl
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database
from integrations.bells import Bells
from renkei.engines.postgres import APP, Postgres
from renkei.engines.valkey import Valkey
from tests.api.transport.conftest import a_token
from tests.clients.node import Node, NoNode, installed
from tests.clients.server import Server, a_server
from tests.clients.town import Town, a_town
from tests.factories import an_account


def go_without(reason: str, environment: Mapping[str, str]) -> NoReturn:
    if environment.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> Node:
    try:
        return installed()
    except NoNode as reason:
        go_without(str(reason), os.environ)


@pytest.fixture(scope="session")
def sdl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "schema.graphql"
    path.write_text(print_sdl())
    return path


@pytest.fixture(scope="session")
def settings(database: Postgres, valkey: Valkey) -> Settings:
    return Settings(
        database_url=database.url(user=APP),
        owner_database_url=database.url(),
        redis_url=valkey.url,
        secret_key=b"k" * 32,
        database_pool=4,
    )


@pytest.fixture(scope="session")
async def db(settings: Settings) -> AsyncIterator[Database]:
    """As a worker has it: its commits ring."""
    bells = Bells(settings.redis_url)
    opened = Database.at(settings.database_url, bells, pool_size=4)
    yield opened
    await bells.close()
    await opened.close()


@pytest.fixture(scope="session")
async def server(settings: Settings) -> AsyncIterator[Server]:
    async with a_server(settings) as running:
        yield running


@pytest.fixture
async def mortal(server: Server) -> AsyncIterator[Server]:
    """The same, which may be killed: it runs again for those who come after."""
    yield server
    if not server.runs:
        await server.start()


@pytest.fixture
async def account(db: Database) -> UUID:
    return await an_account(db)


@pytest.fixture
async def token(db: Database, account: UUID) -> str:
    return await a_token(db, account)


@pytest.fixture
async def town(db: Database, account: UUID, settings: Settings) -> Town:
    return await a_town(db, account, Vault(settings.secret_key))
