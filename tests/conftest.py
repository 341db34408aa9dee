"""One PostgreSQL and one Valkey for the whole run: real, in a folder of their own, gone afterwards."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from renkei.database import bring_up_to_date, create_database, let_app_in
from renkei.engines.datadir import DataDirectory, data_directory
from renkei.engines.postgres import Postgres, embedded_postgres
from renkei.engines.valkey import Valkey, embedded_valkey
from tests.databases import keep_as_template


@pytest.fixture(scope="session")
def engine_data() -> Iterator[DataDirectory]:
    """A data directory that the engines' user can reach, which pytest's own folders are not for root."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    try:
        with data_directory(path) as data:
            yield data
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(engine_data: DataDirectory) -> Iterator[Postgres]:
    """A server without any database of ours: `postgres.url("postgres")` is its superuser's."""
    with embedded_postgres(engine_data, fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> Postgres:
    """The same server with the database `renkei`, migrated: `url(user=APP)` for the app's login,
    `url()` for the superuser; `tests.databases.scratch` for a test that needs its own."""
    await create_database(postgres)
    await bring_up_to_date(postgres.url())
    await let_app_in(postgres)
    await keep_as_template(postgres)
    return postgres


@pytest.fixture(scope="session")
def valkey(engine_data: DataDirectory) -> Iterator[Valkey]:
    with embedded_valkey(engine_data) as server:
        yield server
