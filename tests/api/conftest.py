"""Asking the schema, on a real PostgreSQL with row-level security, as the role that serves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import parse, validate

from api.context import Context, Viewer
from api.plan import Planner
from api.schema import schema
from domain.model.actors import SYSTEM, Actor
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.store.database import Database
from renkei.engines.postgres import APP, Postgres
from tests.factories import an_account


@pytest.fixture(scope="session")
async def db(database: Postgres) -> AsyncIterator[Database]:
    opened = Database.at(database.url(user=APP), pool_size=4)
    yield opened
    await opened.close()


@pytest.fixture
async def account(db: Database) -> UUID:
    """One that nothing else knows of."""
    return await an_account(db)


@pytest.fixture(scope="session")
def planner() -> Planner:
    return Planner(schema()._schema)


@dataclass(slots=True)
class Asker:
    """Someone of an account. `ask` answers data and fails on errors; `answer` gives both as they are."""

    db: Database
    planner: Planner
    account: UUID
    permissions: frozenset[Permission] = PERMISSIONS[Role.OWNER]
    locale: Locale = Locale.EN
    actor: Actor = field(default_factory=lambda: SYSTEM)

    @property
    def context(self) -> Context:
        return Context(self.db, Viewer(self.account, self.permissions, self.locale, self.actor))

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        document = parse(query)
        assert validate(self.planner.schema, document) == []
        given = await self.planner.answer(self.context, query, document, None, variables)
        assert given is not None, "the operation was not planned"
        answer: dict[str, Any] = orjson.loads(given.body)
        return answer

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


@pytest.fixture
def asker(db: Database, planner: Planner, account: UUID) -> Asker:
    return Asker(db, planner, account)
