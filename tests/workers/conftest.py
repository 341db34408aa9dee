"""The malls on one real server, and the database as the serving role sees it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.services.credentials import Vault
from domain.store.database import Database
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import Scratch, scratch
from tests.workers.town import KEY, sandbox_served
from workers.context import Context, Malls


@pytest.fixture
async def own_database(database: Postgres) -> AsyncIterator[Scratch]:
    """A worker looks across accounts: what other tests left behind must not be its work."""
    async with scratch(database) as own:
        yield own


@pytest.fixture
async def db(own_database: Scratch) -> AsyncIterator[Database]:
    db = Database.at(own_database.url(user=APP))
    yield db
    await db.close()


@pytest.fixture
async def ctx(db: Database) -> AsyncIterator[Context]:
    vault = Vault(KEY)
    async with httpx.AsyncClient(timeout=20) as http:
        yield Context(db, Malls(db, vault, http), vault, "test")


@pytest.fixture(scope="session")
async def malls() -> AsyncIterator[str]:
    """The address of all malls, without limits and delays."""
    async with sandbox_served(speed=0) as address:
        yield address
