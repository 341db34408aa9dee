"""The database as the command meets it: reached or not, of the right version, brought up to date."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.store import migrate
from domain.store.database import Database
from renkei.engines.postgres import APP, DATABASE, SUPERUSER, Postgres
from renkei.refusal import Refusal

REACH_SECONDS = 15
OLDEST_POSTGRES = 18


async def create_database(server: Postgres) -> None:
    """The database of a server of ours, when it is not there yet."""
    connection = await asyncpg.connect(_plain(server.url(SUPERUSER)))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await _create(connection)
    finally:
        await connection.close()


async def _create(connection: asyncpg.Connection) -> None:
    """Trigrams see only what LC_CTYPE calls a letter: in C there is none in Japanese. Where the system has no C.UTF-8,
    searching takes longer and finds no likely names."""
    try:
        await connection.execute(
            f"CREATE DATABASE {DATABASE} TEMPLATE template0 LC_CTYPE 'C.UTF-8'"
        )
    except asyncpg.WrongObjectTypeError:
        await connection.execute(f"CREATE DATABASE {DATABASE}")


async def let_app_in(server: Postgres) -> None:
    """On a server of ours the app's role is its own login; the socket's folder keeps others out."""
    connection = await asyncpg.connect(_plain(server.url()))
    try:
        await connection.execute(f"ALTER ROLE {APP} LOGIN")
    finally:
        await connection.close()


async def bring_up_to_date(owner_url: str) -> None:
    """Migrates when the schema is older. Raises Refusal or a DomainError when it cannot be used."""
    with _told("RENKEI_OWNER_DATABASE_URL or RENKEI_DATABASE_URL", owner_url):
        await _check_server(owner_url)
        try:
            await migrate.check_version(owner_url)
        except migrate.SchemaTooOld:
            await migrate.migrate(owner_url)


async def show_drift(owner_url: str) -> None:
    """Changes nothing. Raises Refusal with every difference between the database and the code."""
    with _told("RENKEI_OWNER_DATABASE_URL or RENKEI_DATABASE_URL", owner_url):
        await migrate.check_version(owner_url)
        differences = await migrate.drift(owner_url)
    if differences:
        raise Refusal("\n".join(["The database and the code disagree:", *differences]))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database with the app's login: which gets in, is held by row-level security, and meets
    the schema it knows. Raises Refusal or a DomainError when it is otherwise."""
    with _told("RENKEI_DATABASE_URL", url):
        await _check_server(url)
        await migrate.check_version(url)
        database = Database.at(url, pool_size=1)
        try:
            await database.check_role()
            yield database
        finally:
            await database.close()


async def check_fit(url: str) -> None:
    """Raises what `opened` does, before anything is served."""
    async with opened(url):
        return


async def _check_server(url: str) -> None:
    async with asyncio.timeout(REACH_SECONDS):
        connection = await asyncpg.connect(_plain(url))
        await connection.close()
    major = connection.get_server_version().major
    if major < OLDEST_POSTGRES:
        raise Refusal(
            f"{_shown(url)} is PostgreSQL {major}, and Renkei needs {OLDEST_POSTGRES} or newer."
        )


@contextmanager
def _told(variables: str, url: str) -> Iterator[None]:
    """What the driver raises, said in one sentence, without the password."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        reason = str(cause).splitlines()[0] if str(cause) else f"no answer in {REACH_SECONDS} s"
        raise Refusal(
            f"The database at {_shown(url)} cannot be used: {reason}."
            f" Check that it runs, and {variables}."
        ) from error


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True).replace("+asyncpg", "", 1)


def _plain(url: str) -> str:
    """As asyncpg reads it, which knows no dialects."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
