"""Bringing a database to this version: its roles, its schema, and the check that it is the one we were written for."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from asyncpg import InsufficientPrivilegeError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from alembic import command
from domain.model.errors import DomainError
from domain.store.tables import metadata

HEAD = "head"
SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"

ROLES = """
DO $$
BEGIN
    IF to_regrole('renkei_owner') IS NULL THEN CREATE ROLE renkei_owner NOLOGIN; END IF;
    IF to_regrole('renkei_app') IS NULL THEN CREATE ROLE renkei_app NOLOGIN NOBYPASSRLS; END IF;
    IF to_regrole('renkei_dispatch') IS NULL THEN CREATE ROLE renkei_dispatch NOLOGIN NOBYPASSRLS; END IF;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
GRANT renkei_dispatch TO renkei_owner WITH INHERIT FALSE, SET TRUE;
GRANT renkei_owner TO CURRENT_USER;
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO renkei_owner', current_database());
END $$;
GRANT USAGE, CREATE ON SCHEMA public TO renkei_owner WITH GRANT OPTION;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
"""


Answer = TypeVar("Answer")


class SchemaTooOld(DomainError):
    code = "SCHEMA_TOO_OLD"


class SchemaTooNew(DomainError):
    code = "SCHEMA_TOO_NEW"


class RoleNotFit(DomainError):
    code = "ROLE_NOT_FIT"


async def migrate(owner_url: str, to: str = HEAD) -> None:
    """Creates the roles where it may, then upgrades, to the newest version unless an older one is named.

    Raises SchemaTooNew, RoleNotFit.
    """
    await _as_owner(owner_url, partial(_upgrade, to))


async def drift(owner_url: str) -> list[str]:
    """What the migrated database and domain/store/tables.py disagree about; empty when they are one."""
    return await _as_owner(owner_url, _differences)


async def check_version(url: str) -> None:
    """Raises SchemaTooOld or SchemaTooNew unless the database is at this version."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        at = await connection.run_sync(_version)
    head = _scripts().get_current_head()
    if at == head:
        return
    if at is None or _knows(at):
        raise SchemaTooOld(
            f"The database is at version {at or 'none'}, this program needs {head}. Run: renkei migrate"
        )
    raise _too_new(at)


async def _as_owner(owner_url: str, work: Callable[[Connection], Answer]) -> Answer:
    engine = create_async_engine(owner_url, poolclass=NullPool)
    async with engine.connect() as connection:
        await _make_roles(connection)
        await connection.execute(text("SET ROLE renkei_owner"))
        await connection.commit()
        answer = await connection.run_sync(work)
        await connection.commit()
        return answer


async def _make_roles(connection: AsyncConnection) -> None:
    """A login that may not create roles goes on when they are there already."""
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    try:
        await raw.driver_connection.execute(ROLES)
    except InsufficientPrivilegeError as error:
        if not await connection.scalar(text("SELECT to_regrole('renkei_dispatch') IS NOT NULL")):
            raise RoleNotFit(
                "RENKEI_OWNER_DATABASE_URL connects as a role that may not create the roles renkei_owner, "
                "renkei_app and renkei_dispatch. Connect as a superuser once, or have them created."
            ) from error


def _upgrade(to: str, connection: Connection) -> None:
    at = _version(connection)
    if at is not None and not _knows(at):
        raise _too_new(at)
    connection.rollback()
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"include_name": _ours})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def _ours(name: str | None, kind: str, parents: object) -> bool:
    """Partitions are made by the database, and alembic_version by its tool."""
    return kind != "table" or name in metadata.tables


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(SCRIPTS))


def _knows(revision: str) -> bool:
    try:
        return _scripts().get_revision(revision) is not None
    except CommandError:
        return False


def _too_new(at: str) -> SchemaTooNew:
    head = _scripts().get_current_head()
    return SchemaTooNew(
        f"The database is at version {at}, newer than this program ({head}). Install the newer Renkei, or restore."
    )
