"""What a deployment may set, read once from the environment by the entry points.

| Variable | Means |
| --- | --- |
| RENKEI_DATABASE_URL | PostgreSQL as the API and the workers see it: the role renkei_app or a member |
| RENKEI_OWNER_DATABASE_URL | the same database for `renkei migrate`; by default the same login |
| RENKEI_REDIS_URL | Valkey or Redis, for bells only |
| RENKEI_SECRET_KEY | 32 bytes in base64, which encrypt the shops' credentials |
| RENKEI_PUBLIC_URL | where browsers and malls reach the API |
| RENKEI_ALLOWED_ORIGINS | origins of frontends, parted by commas |
| RENKEI_SANDBOX_URL | where the sandbox malls are served, when they are; shops may be connected there |
| RENKEI_MALL_HOSTS | hosts that shops' addresses may lead to beside the malls' own, parted by commas; by default none |
| RENKEI_DATA_DIR | the folder of embedded engines and kept files |
| RENKEI_SWEEP_SECONDS | how often each worker looks for what waits without a bell |
| RENKEI_LOSS_WINDOW | seconds of what malls did that are read again after a restore or a failover, before what it lost |
| RENKEI_DATABASE_POOL | connections a process may open |
| RENKEI_COST_MAXIMUM | points that one operation may cost |
| RENKEI_COST_BUDGET | points that a token or a person may spend at once, over all API processes |
| RENKEI_COST_RESTORE | points that come back to each of them a second |
| RENKEI_TRUSTED_DOCUMENTS | a manifest of persisted documents, or a folder of them, read at the start |
| RENKEI_ONLY_TRUSTED_DOCUMENTS | on: no other document is executed; off by default |
| RENKEI_INTROSPECTION | on (default: the schema is published anyway) or off: it is not told, nor guessed at in messages |
| RENKEI_LOG_LEVEL | debug, info, warning or error |
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from domain.model.errors import DomainError
from domain.model.mall_hosts import hosts_in, place_of

Value = TypeVar("Value")

LOCAL_URL = "http://127.0.0.1:8000"
MAKE_A_KEY = "openssl rand -base64 32"
DATABASE_SCHEMES = ("postgresql+asyncpg", "postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix")
LOSS_WINDOW = timedelta(minutes=15)
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsWrong(DomainError):
    """One line for each variable that is missing or cannot be read."""

    code = "SETTINGS_WRONG"


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str = field(repr=False)
    owner_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
    public_url: str = LOCAL_URL
    allowed_origins: tuple[str, ...] = ()
    sandbox_url: str | None = None
    mall_hosts: frozenset[str] = frozenset()
    data_dir: Path | None = None
    sweep_seconds: float = 1.0
    loss_window: timedelta = LOSS_WINDOW
    database_pool: int = 10
    cost_maximum: int = 10_000
    cost_budget: int = 50_000
    cost_restore: int = 2_500
    introspection: bool = True
    trusted_documents: Path | None = None
    only_trusted_documents: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Raises SettingsWrong, naming all that is wrong at once."""
        read = _Reader(env)
        database = read.needed("RENKEI_DATABASE_URL", _database_url, "")
        sandbox = read.given("RENKEI_SANDBOX_URL", _web_address, None)
        allowed = read.given("RENKEI_MALL_HOSTS", _hosts, frozenset[str]())
        settings = cls(
            database_url=database,
            owner_database_url=read.given("RENKEI_OWNER_DATABASE_URL", _database_url, database),
            redis_url=read.needed("RENKEI_REDIS_URL", _redis_url, ""),
            secret_key=read.needed("RENKEI_SECRET_KEY", _secret_key, b""),
            public_url=read.given("RENKEI_PUBLIC_URL", _web_address, LOCAL_URL),
            allowed_origins=read.given("RENKEI_ALLOWED_ORIGINS", _origins, ()),
            sandbox_url=sandbox,
            mall_hosts=allowed | ({place_of(sandbox)} if sandbox else set()),
            data_dir=read.given("RENKEI_DATA_DIR", Path, None),
            sweep_seconds=read.given("RENKEI_SWEEP_SECONDS", _seconds, 1.0),
            loss_window=read.given("RENKEI_LOSS_WINDOW", _window, LOSS_WINDOW),
            database_pool=read.given("RENKEI_DATABASE_POOL", _connections, 10),
            cost_maximum=read.given("RENKEI_COST_MAXIMUM", _points, 10_000),
            cost_budget=read.given("RENKEI_COST_BUDGET", _points, 50_000),
            cost_restore=read.given("RENKEI_COST_RESTORE", _points, 2_500),
            introspection=read.given("RENKEI_INTROSPECTION", _switch, True),
            trusted_documents=read.given("RENKEI_TRUSTED_DOCUMENTS", Path, None),
            only_trusted_documents=read.given("RENKEI_ONLY_TRUSTED_DOCUMENTS", _switch, False),
        )
        if settings.cost_maximum > settings.cost_budget:
            read.complain(
                "RENKEI_COST_MAXIMUM and RENKEI_COST_BUDGET do not fit: the budget must hold the maximum."
            )
        if settings.only_trusted_documents and settings.trusted_documents is None:
            read.complain("RENKEI_ONLY_TRUSTED_DOCUMENTS needs RENKEI_TRUSTED_DOCUMENTS.")
        return read.checked(settings)


def database_url(env: Mapping[str, str]) -> str:
    """Where commands that need the database alone find it. Raises SettingsWrong."""
    return _one(env, "RENKEI_DATABASE_URL")


def owner_database_url(env: Mapping[str, str]) -> str:
    """Where migrations find the database. Raises SettingsWrong."""
    owner = "RENKEI_OWNER_DATABASE_URL"
    return _one(env, owner if env.get(owner) else "RENKEI_DATABASE_URL")


def public_url(env: Mapping[str, str]) -> str:
    """Where browsers reach the API. Raises SettingsWrong."""
    read = _Reader(env)
    return read.checked(read.given("RENKEI_PUBLIC_URL", _web_address, LOCAL_URL))


def loss_window(env: Mapping[str, str]) -> timedelta:
    """How much a restore may lose. Raises SettingsWrong."""
    read = _Reader(env)
    return read.checked(read.given("RENKEI_LOSS_WINDOW", _window, LOSS_WINDOW))


def log_level(env: Mapping[str, str]) -> str:
    """How much a process says on standard error. Raises SettingsWrong."""
    read = _Reader(env)
    return read.checked(read.given("RENKEI_LOG_LEVEL", _log_level, "info"))


def _one(env: Mapping[str, str], name: str) -> str:
    read = _Reader(env)
    return read.checked(read.needed(name, _database_url, ""))


class _Reader:
    """Reads variables and gathers what is wrong with them. An empty one counts as not set."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._problems: list[str] = []

    def needed(self, name: str, read: Callable[[str], Value], otherwise: Value) -> Value:
        if not self._env.get(name):
            self._problems.append(f"{name} is not set. {NEEDED[name]}")
        return self.given(name, read, otherwise)

    def given(self, name: str, read: Callable[[str], Value], otherwise: Value) -> Value:
        text = self._env.get(name)
        if not text:
            return otherwise
        try:
            return read(text)
        except ValueError as error:
            self._problems.append(f"{name} {error}")
            return otherwise

    def complain(self, problem: str) -> None:
        self._problems.append(problem)

    def checked(self, value: Value) -> Value:
        """`value`, when nothing was wrong."""
        if self._problems:
            raise SettingsWrong("\n".join(self._problems))
        return value


NEEDED: Mapping[str, str] = {
    "RENKEI_DATABASE_URL": "Set it to postgresql://USER:PASSWORD@HOST/DATABASE, or start `renkei up`.",
    "RENKEI_REDIS_URL": "Set it to redis://HOST:6379/0, or start `renkei up`.",
    "RENKEI_SECRET_KEY": f"Make one with `{MAKE_A_KEY}`, and keep it: it opens the shops' credentials.",
}


def _database_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in DATABASE_SCHEMES or not rest or not _has_port(text):
        raise ValueError("is not an address like postgresql://USER:PASSWORD@HOST/DATABASE.")
    return f"postgresql+asyncpg://{rest}"


def _redis_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in REDIS_SCHEMES or not rest or not _has_port(text):
        raise ValueError("is not an address like redis://HOST:6379/0, rediss://… or unix:///PATH.")
    return text


def _has_port(address: str) -> bool:
    """A port that is a number, or none."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _secret_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError(f"is not 32 bytes in base64. Make one with `{MAKE_A_KEY}`.")
    return key


def _web_address(text: str) -> str:
    if not re.match(r"https?://[^/?#]+", text) or not _has_port(text):
        raise ValueError("is not an address like https://stock.example.com.")
    return text.rstrip("/")


def _hosts(text: str) -> frozenset[str]:
    try:
        return hosts_in(text)
    except ValueError as error:
        raise ValueError("is not a list like malls.example.com,10.0.0.5:8080.") from error


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(word.strip() for word in text.split(",") if word.strip())
    if not all(re.fullmatch(r"https?://[^/?#]+", origin) for origin in origins):
        raise ValueError("is not a list like https://admin.example.com,http://localhost:5173.")
    return origins


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0.05 <= float(text) <= 60:
        raise ValueError("is not a number of seconds between 0.05 and 60.")
    return float(text)


def _window(text: str) -> timedelta:
    if not re.fullmatch(r"\d{1,7}", text):
        raise ValueError("is not a number of seconds between 0 and 9999999.")
    return timedelta(seconds=int(text))


def _connections(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text) or int(text) < 2:
        raise ValueError("is not a number of connections between 2 and 999.")
    return int(text)


def _points(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < 1:
        raise ValueError("is not a number of points between 1 and 999999999.")
    return int(text)


def _switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("is neither on nor off.")
    return text.lower() == "on"


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"is none of {', '.join(LOG_LEVELS)}.")
    return text.lower()
