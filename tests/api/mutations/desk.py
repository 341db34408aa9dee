"""A person at their screen: what they hold, what they ask, and what they see."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from api.context import Connecting, Viewer
from api.execution import Engine
from api.feed import Feed
from api.logs import SENTENCES
from api.nodes import global_id, read_id
from api.requests import Request
from api.schema import schema
from domain.model.actors import Actor, ActorKind
from domain.model.confirmations import Confirmer
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import shops, switches
from domain.services.credentials import Vault
from domain.store.database import Database, Tx
from integrations.bells import Bells
from tests.domain.services.rows import NOW, OWNER, a_listing, operations, rows
from tests.factories import a_user

VAULT = Vault(os.urandom(32))
CONFIRMER = Confirmer(os.urandom(32))
KEYS = {"service_secret": "SP-secret", "license_key": "SL-licence"}


class Counting(Database):
    """Counts its transactions: a node list that is read is one."""

    begun = 0

    @asynccontextmanager
    async def transaction(self, account_id: UUID) -> AsyncIterator[Tx]:
        self.begun += 1
        async with super().transaction(account_id) as tx:
            yield tx


def engine_over(db: Database, at: datetime = NOW) -> Engine:
    """By whose clock it is `at`. Nobody subscribes here: the bells are never heard."""
    feed = Feed(db, Bells("redis://127.0.0.1:1"))
    connecting = Connecting(VAULT, "https://api.example.com", ("https://admin.example.com",))
    return Engine(schema()._schema, db, feed, lambda: at, connecting, confirmer=CONFIRMER)


@dataclass(frozen=True)
class Held:
    """A product and its listing at the shop, by their global ids."""

    product: str
    listing: str
    product_id: UUID
    listing_id: UUID


@dataclass(frozen=True)
class Desk:
    engine: Engine
    db: Database
    account: UUID
    actor: Actor
    permissions: frozenset[Permission] = PERMISSIONS[Role.OWNER]
    locale: Locale = Locale.EN

    @classmethod
    async def opened(cls, engine: Engine, db: Database, account: UUID) -> "Desk":
        async with db.transaction(account) as tx:
            user_id = await a_user(tx, name="Hanako")
        return cls(engine, db, account, Actor(ActorKind.USER, "Hanako", user_id))

    @property
    def user_id(self) -> UUID:
        assert self.actor.id is not None
        return self.actor.id

    def having(self, *permissions: Permission) -> "Desk":
        return replace(self, permissions=frozenset(permissions))

    def reading(self, locale: Locale) -> "Desk":
        return replace(self, locale=locale)

    async def answer(self, document: str, **variables: Any) -> Any:
        """The whole answer, errors included."""
        operation = self.engine.operation(Request(document, None, variables))
        viewer = Viewer(self.account, self.permissions, self.locale, self.actor)
        return orjson.loads((await self.engine.answer(operation, viewer)).body)

    async def execute(self, document: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.answer(document, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def id(self, kind: str, row_id: UUID) -> str:
        return global_id(kind, row_id)

    async def a_shop(self, name: str = "Tea at Rakuten", *, running: bool = True) -> UUID:
        async with self.db.transaction(self.account) as tx:
            shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, name, KEYS, {})
            if running:
                await switches.start_sync(tx, OWNER, None, now=NOW)
                await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        return shop.id

    async def a_product(self, shop_id: UUID, code: str, *, total: int) -> Held:
        """With a listing that shows its total."""
        async with self.db.transaction(self.account) as tx:
            listing_id = await a_listing(tx, shop_id, code, total=total, shows=total)
        found = await self.execute(
            "query Q($id: ID!) { node(id: $id) { ... on Listing { product { id } } } }",
            id=global_id("Listing", listing_id),
        )
        product = found["node"]["product"]["id"]
        return Held(product, global_id("Listing", listing_id), read_id(product).id, listing_id)

    async def operations(self) -> list[str]:
        """The words of its operation log, oldest first, without the setting up; each has its sentence."""
        async with self.db.transaction(self.account) as tx:
            done = await operations(tx)
        assert set(done) <= SENTENCES.keys()
        return [each for each in done if each not in SETTING_UP]

    async def everything(self) -> dict[str, list[Any]]:
        """All rows of the account that a mutation could move."""
        async with self.db.transaction(self.account) as tx:
            return {
                table: await rows(tx, f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
                for table in TABLES
            }


SETTING_UP = ("CREATE_ACCOUNT", "CONNECT_SHOP", "START_SYNC")
TABLES = (
    "accounts",
    "products",
    "product_groups",
    "set_parts",
    "listings",
    "links",
    "listing_sync",
    "stock_movements",
    "shops",
    "shop_credentials",
    "sync_errors",
    "jobs",
    "operation_logs",
    "users",
    "api_tokens",
)
