"""Mutations executed as the route executes them, for owners of accounts of their own."""

from uuid import UUID

import pytest

from api.execution import Engine
from domain.store.database import Database
from tests.api.mutations.desk import Desk, engine_over
from tests.factories import an_account


@pytest.fixture(scope="session")
async def engine(db: Database) -> Engine:
    return engine_over(db)


@pytest.fixture
async def desk(engine: Engine, db: Database, account: UUID) -> Desk:
    """An owner of the account, who reads English."""
    return await Desk.opened(engine, db, account)


@pytest.fixture
async def neighbour(engine: Engine, db: Database) -> Desk:
    """An owner of another account."""
    return await Desk.opened(engine, db, await an_account(db))
