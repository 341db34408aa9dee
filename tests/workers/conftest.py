"""The malls on one real server, and the database as the serving role sees it."""

from collections.abc import AsyncIterator

import pytest

from domain.store.database import Database
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.workers.town import sandbox_served


@pytest.fixture(scope="session")
async def db(database: Postgres) -> AsyncIterator[Database]:
    db = Database.at(database.url(user=APP))
    yield db
    await db.close()


@pytest.fixture(scope="session")
async def malls() -> AsyncIterator[str]:
    """The address of all malls, without limits and delays."""
    async with sandbox_served(speed=0) as address:
        yield address
