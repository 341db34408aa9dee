"""Settings, as tables of what an environment says."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.settings import Settings, SettingsWrong, database_url, log_level, owner_database_url

KEY = "ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY="
LEAST = {
    "RENKEI_DATABASE_URL": "postgresql://renkei@db/renkei",
    "RENKEI_REDIS_URL": "redis://valkey:6379/0",
    "RENKEI_SECRET_KEY": KEY,
}


def test_three_settings_are_enough() -> None:
    assert Settings.from_env(LEAST) == Settings(
        database_url="postgresql+asyncpg://renkei@db/renkei",
        owner_database_url="postgresql+asyncpg://renkei@db/renkei",
        redis_url="redis://valkey:6379/0",
        secret_key=b"f" * 32,
    )


def test_everything_can_be_set() -> None:
    settings = Settings.from_env(
        LEAST
        | {
            "RENKEI_OWNER_DATABASE_URL": "postgres://owner@db/renkei",
            "RENKEI_PUBLIC_URL": "https://stock.example.com/",
            "RENKEI_ALLOWED_ORIGINS": "https://admin.example.com, http://localhost:5173",
            "RENKEI_SANDBOX_URL": "http://127.0.0.1:8001",
            "RENKEI_DATA_DIR": "/srv/renkei",
            "RENKEI_SWEEP_SECONDS": "0.5",
            "RENKEI_DATABASE_POOL": "20",
            "RENKEI_LOSS_WINDOW": "60",
            "RENKEI_COST_MAXIMUM": "500",
            "RENKEI_COST_BUDGET": "600",
            "RENKEI_COST_RESTORE": "10",
            "RENKEI_INTROSPECTION": "off",
            "RENKEI_TRUSTED_DOCUMENTS": "/srv/manifests",
            "RENKEI_ONLY_TRUSTED_DOCUMENTS": "ON",
        }
    )
    assert settings.owner_database_url == "postgresql+asyncpg://owner@db/renkei"
    assert settings.public_url == "https://stock.example.com"
    assert settings.allowed_origins == ("https://admin.example.com", "http://localhost:5173")
    assert settings.sandbox_url == "http://127.0.0.1:8001"
    assert settings.data_dir == Path("/srv/renkei")
    assert (settings.sweep_seconds, settings.database_pool) == (0.5, 20)
    assert settings.loss_window == timedelta(minutes=1)
    assert (settings.cost_maximum, settings.cost_budget, settings.cost_restore) == (500, 600, 10)
    assert settings.introspection is False
    assert settings.trusted_documents == Path("/srv/manifests")
    assert settings.only_trusted_documents is True


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RENKEI_DATABASE_URL", ""),
        ("RENKEI_DATABASE_URL", "mysql://db/renkei"),
        ("RENKEI_DATABASE_URL", "postgresql://"),
        ("RENKEI_DATABASE_URL", "postgresql://db:port/renkei"),
        ("RENKEI_OWNER_DATABASE_URL", "db"),
        ("RENKEI_REDIS_URL", "valkey:6379"),
        ("RENKEI_SECRET_KEY", "secret"),
        ("RENKEI_SECRET_KEY", "c2hvcnQ="),
        ("RENKEI_PUBLIC_URL", "stock.example.com"),
        ("RENKEI_ALLOWED_ORIGINS", "*"),
        ("RENKEI_ALLOWED_ORIGINS", "https://admin.example.com/path"),
        ("RENKEI_SWEEP_SECONDS", "0"),
        ("RENKEI_SWEEP_SECONDS", "soon"),
        ("RENKEI_DATABASE_POOL", "1"),
        ("RENKEI_DATABASE_POOL", "many"),
        ("RENKEI_LOSS_WINDOW", "-1"),
        ("RENKEI_LOSS_WINDOW", "an hour"),
        ("RENKEI_COST_MAXIMUM", "0"),
        ("RENKEI_COST_MAXIMUM", "50001"),
        ("RENKEI_COST_BUDGET", "none"),
        ("RENKEI_COST_RESTORE", "-1"),
        ("RENKEI_INTROSPECTION", "maybe"),
        ("RENKEI_ONLY_TRUSTED_DOCUMENTS", "yes"),
        ("RENKEI_ONLY_TRUSTED_DOCUMENTS", "on"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsWrong, match=f"^{name} ") as refused:
        Settings.from_env(LEAST | {name: text})
    assert refused.value.code == "SETTINGS_WRONG"


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsWrong) as refused:
        Settings.from_env({"RENKEI_REDIS_URL": "nowhere", "RENKEI_DATABASE_POOL": "0"})
    assert [line.split()[0] for line in refused.value.message.splitlines()] == [
        "RENKEI_DATABASE_URL",
        "RENKEI_REDIS_URL",
        "RENKEI_SECRET_KEY",
        "RENKEI_DATABASE_POOL",
    ]


def test_secrets_do_not_show() -> None:
    shown = repr(Settings.from_env(LEAST))
    assert "fff" not in shown
    assert "renkei@db" not in shown


def test_commands_that_need_the_database_alone_ask_for_nothing_else() -> None:
    env = {"RENKEI_DATABASE_URL": "postgresql://app@db/renkei"}
    assert database_url(env) == owner_database_url(env) == "postgresql+asyncpg://app@db/renkei"
    owner = env | {"RENKEI_OWNER_DATABASE_URL": "postgresql://owner@db/renkei"}
    assert owner_database_url(owner) == "postgresql+asyncpg://owner@db/renkei"
    with pytest.raises(SettingsWrong, match="RENKEI_DATABASE_URL is not set"):
        owner_database_url({})


@pytest.mark.parametrize(("text", "level"), [("", "info"), ("DEBUG", "debug"), ("error", "error")])
def test_log_levels(text: str, level: str) -> None:
    assert log_level({"RENKEI_LOG_LEVEL": text}) == level


@pytest.mark.parametrize(
    ("entered", "hosts"),
    [
        ({}, set()),
        (
            {"RENKEI_MALL_HOSTS": "Malls.example.com, 10.0.0.5:8080,"},
            {"malls.example.com", "10.0.0.5:8080"},
        ),
        ({"RENKEI_SANDBOX_URL": "http://127.0.0.1:9000"}, {"127.0.0.1:9000"}),
        (
            {
                "RENKEI_SANDBOX_URL": "https://sandbox.example.com/",
                "RENKEI_MALL_HOSTS": "a.example.com",
            },
            {"sandbox.example.com", "a.example.com"},
        ),
    ],
)
def test_shops_may_lead_to_the_hosts_that_are_named_and_to_the_sandbox(
    entered: dict[str, str], hosts: set[str]
) -> None:
    assert Settings.from_env(LEAST | entered).mall_hosts == hosts


@pytest.mark.parametrize("entered", ["https://malls.example.com", "a b", "a:port", "user@a", "a/b"])
def test_a_host_is_no_address(entered: str) -> None:
    with pytest.raises(SettingsWrong, match="RENKEI_MALL_HOSTS is not a list"):
        Settings.from_env(LEAST | {"RENKEI_MALL_HOSTS": entered})
