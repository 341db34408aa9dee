"""The embedded engines as everyone meets them: real servers, reached by their sockets."""

import redis.asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from renkei.engines.postgres import APP, Postgres
from renkei.engines.valkey import Valkey


async def test_postgres_18_speaks_utf8_and_checks_its_pages(postgres: Postgres) -> None:
    engine = create_async_engine(postgres.url("postgres"))
    try:
        async with engine.connect() as connection:
            row = await connection.execute(
                text(
                    "SELECT current_setting('server_version_num')::int / 10000,"
                    " current_setting('server_encoding'), current_setting('data_checksums'),"
                    " current_setting('listen_addresses'), lower('ÉＡ')"
                )
            )
            assert tuple(row.one()) == (18, "UTF8", "on", "", "éａ")
    finally:
        await engine.dispose()


async def test_valkey_rings(valkey: Valkey) -> None:
    client = redis.asyncio.from_url(valkey.url)
    try:
        assert await client.ping() is True
    finally:
        await client.aclose()


async def test_the_apps_login_is_held_by_row_level_security(database: Postgres) -> None:
    engine = create_async_engine(database.url(user=APP))
    try:
        async with engine.connect() as connection:
            row = await connection.execute(
                text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user")
            )
            assert tuple(row.one()) == (False, False)
    finally:
        await engine.dispose()
