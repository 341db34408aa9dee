"""The whole API behind a real server, with real engines; every test has an account of its own."""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from api.app import create_app
from api.session import Patience
from domain.model.actors import SYSTEM
from domain.model.roles import Role
from domain.services import accounts
from domain.settings import Settings
from domain.store.database import Database
from renkei.engines.datadir import DataDirectory, data_directory
from renkei.engines.postgres import APP, Postgres
from renkei.engines.valkey import Valkey
from tests.api.transport.serving import Api, a_client, serving

ORIGIN = "https://admin.example.com"


@pytest.fixture(scope="session")
def settings(database: Postgres, valkey: Valkey) -> Settings:
    return Settings(
        database_url=database.url(user=APP),
        owner_database_url=database.url(),
        redis_url=valkey.url,
        secret_key=b"k" * 32,
        public_url="https://stock.example.com",
        allowed_origins=(ORIGIN,),
        database_pool=5,
    )


@pytest.fixture(scope="session")
async def served(settings: Settings) -> AsyncIterator[str]:
    async with serving(create_app(settings)) as address:
        yield address


async def a_token(db: Database, account: UUID, role: Role = Role.OWNER) -> str:
    async with db.transaction(account) as tx:
        return await accounts.create_token(tx, "画面", role=role, actor=SYSTEM)


@pytest.fixture
async def api(served: str, db: Database, account: UUID) -> AsyncIterator[Api]:
    async with a_client(served) as http:
        yield Api(http, served, await a_token(db, account))


@pytest.fixture
async def impatient(settings: Settings, api: Api) -> AsyncIterator[Api]:
    """At a server that waits for nobody."""
    app = create_app(settings, Patience(init=0.3, silent=0.05, send=0.3, close=5))
    async with api.elsewhere(app) as here:
        yield here


@pytest.fixture
def place_of_its_own() -> Iterator[DataDirectory]:
    """Where a Valkey may be killed without anybody missing it."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    try:
        with data_directory(path) as data:
            yield data
    finally:
        shutil.rmtree(path, ignore_errors=True)
