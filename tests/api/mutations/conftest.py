"""Mutations executed as the route executes them, for owners of accounts of their own."""

from uuid import UUID

import pytest

from api.context import Connecting
from api.execution import Engine
from api.feed import Feed
from api.schema import schema
from domain.store.database import Database
from integrations.bells import Bells
from tests.api.mutations.desk import VAULT, Desk
from tests.domain.services.rows import NOW
from tests.factories import an_account


@pytest.fixture(scope="session")
async def engine(db: Database) -> Engine:
    """Nobody subscribes here: the bells are never heard."""
    feed = Feed(db, Bells("redis://127.0.0.1:1"))
    connecting = Connecting(VAULT, "https://api.example.com", ("https://admin.example.com",))
    return Engine(schema()._schema, db, feed, lambda: NOW, connecting)


@pytest.fixture
async def desk(engine: Engine, db: Database, account: UUID) -> Desk:
    """An owner of the account, who reads English."""
    return await Desk.opened(engine, db, account)


@pytest.fixture
async def neighbour(engine: Engine, db: Database) -> Desk:
    """An owner of another account."""
    return await Desk.opened(engine, db, await an_account(db))
