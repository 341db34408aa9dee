"""The database as the serving role sees it, and an account of its own for each story."""

import secrets
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from domain.services import accounts
from domain.store.database import Database
from renkei.engines.postgres import APP, Postgres


@pytest.fixture(scope="session")
async def db(database: Postgres) -> AsyncIterator[Database]:
    db = Database.at(database.url(user=APP))
    yield db
    await db.close()


@pytest.fixture
async def account(db: Database) -> UUID:
    return await accounts.create_account(db, f"a-{secrets.token_hex(6)}", "Tea House")


@pytest.fixture
async def another_account(db: Database) -> UUID:
    return await accounts.create_account(db, f"b-{secrets.token_hex(6)}", "Coffee House")
