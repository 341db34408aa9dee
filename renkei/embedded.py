"""The engines that the environment does not name, started and made ready for use."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.settings import owner_database_url
from renkei import database, home
from renkei.engines.datadir import DataDirectory, data_directory
from renkei.engines.postgres import APP, Postgres, embedded_postgres
from renkei.engines.valkey import Valkey, embedded_valkey
from renkei.refusal import Refusal

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Engines:
    """What was started, and the environment in which everything else finds it."""

    started: tuple[Postgres | Valkey, ...]
    env: Environment


@contextmanager
def engines(data: DataDirectory, env: Environment) -> Iterator[Engines]:
    """PostgreSQL and Valkey, each unless its address is set; the schema brought up to date.

    The addresses are announced in the data directory while they serve.
    """
    with ExitStack() as stack:
        addresses = {"RENKEI_SECRET_KEY": env.get("RENKEI_SECRET_KEY") or data.secret_key()}
        started: list[Postgres | Valkey] = []
        if not env.get("RENKEI_REDIS_URL"):
            valkey = stack.enter_context(embedded_valkey(data))
            addresses["RENKEI_REDIS_URL"] = valkey.url
            started.append(valkey)
        if not env.get("RENKEI_DATABASE_URL"):
            postgres = stack.enter_context(embedded_postgres(data))
            addresses |= _prepared(postgres)
            started.append(postgres)
        else:
            asyncio.run(database.bring_up_to_date(owner_database_url(env)))
        stack.enter_context(home.announced(data, addresses))
        yield Engines(tuple(started), {**env, **addresses, "RENKEI_DATA_DIR": str(data.path)})


@contextmanager
def reachable(env: Environment, path: Path) -> Iterator[Environment]:
    """A database for a command of a moment: as set, else what runs on the data directory, else ours."""
    if env.get("RENKEI_DATABASE_URL"):
        yield env
    elif (running := home.running(path)) is not None:
        yield {**env, **running}
    else:
        print(f"No Renkei runs on {path}: working on the data there.", file=sys.stderr)
        with data_directory(path) as data, engines(data, env) as ours:
            yield ours.env


def reached(env: Environment, path: Path) -> Environment:
    """All that a serving process needs: as set, else what runs on the data directory.

    Raises Refusal when neither says where PostgreSQL and Valkey are.
    """
    if env.get("RENKEI_DATABASE_URL") and env.get("RENKEI_REDIS_URL"):
        return {**home.kept_secret(path), **_set(env)}
    running = home.running(path)
    if running is None:
        raise Refusal(
            f"Nothing runs on the data directory {path}. Start `renkei up`, or set"
            " RENKEI_DATABASE_URL, RENKEI_REDIS_URL and RENKEI_SECRET_KEY."
        )
    return {**running, **_set(env)}


def _set(env: Environment) -> Environment:
    return {name: value for name, value in env.items() if value}


def _prepared(server: Postgres) -> Environment:
    async def prepare() -> None:
        await database.create_database(server)
        await database.bring_up_to_date(server.url())
        await database.let_app_in(server)

    asyncio.run(prepare())
    return {"RENKEI_DATABASE_URL": server.url(user=APP), "RENKEI_OWNER_DATABASE_URL": server.url()}
