"""Databases of a test's own, made from the migrated one before anything was written to it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from renkei.engines.postgres import DATABASE, SUPERUSER, Postgres

TEMPLATE = f"{DATABASE}_as_migrated"
EMPTY = "template0"


@dataclass(frozen=True)
class Scratch:
    server: Postgres
    name: str

    def url(self, *, user: str = SUPERUSER) -> str:
        return self.server.url(self.name, user)


async def keep_as_template(server: Postgres) -> None:
    """Before the first session: a database that somebody uses cannot be copied."""
    await _run(server, f"CREATE DATABASE {TEMPLATE} TEMPLATE {DATABASE}")


@asynccontextmanager
async def scratch(server: Postgres, template: str = TEMPLATE) -> AsyncIterator[Scratch]:
    """`template`: EMPTY for one that no migration has touched."""
    name = f"scratch_{secrets.token_hex(4)}"
    await _run(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield Scratch(server, name)
    finally:
        await _run(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _run(server: Postgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url("postgres").replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
