"""Commands of a moment: on what runs, on what is set, or on engines of their own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from renkei.engines.postgres import APP, Postgres
from tests.databases import scratch
from tests.renkei.command import Up, renkei

Start = Callable[..., Up]
AGO = datetime.now(UTC) - timedelta(hours=1)


def said(*arguments: str, beside: str = "", **env: str) -> str:
    """On standard output; `beside`: on standard error."""
    done = renkei(*arguments, env=env)
    assert (done.returncode, done.stderr) == (0, beside)
    return done.stdout


def test_a_token_is_printed_alone_with_nothing_running(place: Path) -> None:
    data = ("--data-dir", str(place / "data"))
    where = f"No Renkei runs on {place / 'data'}: working on the data there.\n"
    made = said("account", "create", "--code", "TEA", "--name", "Tea house", *data, beside=where)
    assert made == "Account TEA is made.\n"

    till = ("--account", "TEA", "--name", "till", "--role", "STAFF")
    token = said("token", "create", *till, *data, beside=where)

    assert token.startswith("rk_")
    assert len(token.split()) == 1
    assert not (place / "data" / "running.json").exists()


def test_commands_use_what_runs_on_the_data_directory(place: Path, up: Start) -> None:
    data = place / "data"
    run = up(data, "--no-sandbox").ready()
    said("account", "create", "--code", "TEA", "--name", "Tea house", "--data-dir", str(data))
    scoped = ("--scope", "stock:read", "--data-dir", str(data))
    token = said("token", "create", "--account", "TEA", "--name", "partner", *scoped)
    assert token.startswith("rk_")
    assert run.process.poll() is None


def test_commands_use_the_database_that_is_set(database: Postgres) -> None:
    env = {"RENKEI_DATABASE_URL": database.url(user=APP)}
    said("account", "create", "--code", "SET", "--name", "Set", **env)
    unknown = ("--account", "NONE", "--name", "x", "--role", "OWNER")
    repeated = renkei("account", "create", "--code", "SET", "--name", "Set", env=env)
    nobody = renkei("token", "create", *unknown, env=env)
    nothing = renkei("token", "create", "--account", "SET", "--name", "x", env=env)
    strange = renkei(
        "token", "create", "--account", "SET", "--name", "x", "--scope", "all", env=env
    )
    assert [(done.returncode, done.stdout) for done in (repeated, nobody, nothing, strange)] == [
        (1, "")
    ] * 4
    assert "There is an account SET already" in repeated.stderr
    assert "There is no account NONE. Make it with `renkei account create`." in nobody.stderr
    assert "a role, or at least one scope" in nothing.stderr
    assert "There is no scope all. Choose from: read, stock:read," in strange.stderr


def test_a_user_is_invited_and_given_a_password(database: Postgres) -> None:
    env = {
        "RENKEI_DATABASE_URL": database.url(user=APP),
        "RENKEI_PUBLIC_URL": "https://stock.example.com",
    }
    mai = ("--account", "MAI", "--email", "mai@tea.example")
    said("account", "create", "--code", "MAI", "--name", "Tea house", **env)
    page = "https://stock.example.com/auth/invitation#ri_"

    made = said("user", "create", *mai, "--name", "Mai", "--role", "OWNER", **env)
    invited = said("user", "invite", *mai, **env)
    given = renkei("user", "password", *mai, env=env, typed="correct horse battery\n")
    short = renkei("user", "password", *mai, env=env, typed="short\n")
    nobody = renkei("user", "invite", "--account", "MAI", "--email", "no@tea.example", env=env)

    first, second = made.splitlines()
    assert first == "User mai@tea.example is made. Within 72 hours they choose a password at"
    assert second.startswith(page)
    assert invited.startswith(page)
    assert invited != second
    assert (given.returncode, given.stdout) == (0, "The password of mai@tea.example is set.\n")
    assert (short.returncode, nobody.returncode) == (1, 1)
    assert "Choose a password of 10 to 200 characters." in short.stderr
    assert "There is no user no@tea.example." in nobody.stderr


def test_migrate_is_repeatable_and_finds_no_drift(database: Postgres) -> None:
    env = {"RENKEI_OWNER_DATABASE_URL": database.url(), "RENKEI_DATABASE_URL": database.url()}
    assert said("migrate", **env) == said("migrate", "--check", **env)


async def test_an_older_database_that_was_put_back_is_told_of(database: Postgres) -> None:
    async with scratch(database) as own:
        env = {"RENKEI_DATABASE_URL": own.url(user=APP), "RENKEI_LOSS_WINDOW": "60"}
        for code in ("TEA", "MUG"):
            said("account", "create", "--code", code, "--name", code, **env)

        one = said("resync", "--account", "TEA", "--since", AGO.isoformat(), **env)
        every = said("resync", "--loss", "5", **env)
        usual = said("resync", **env)

    follows = (
        " Running workers forget what they believed of the malls, read the orders since then again and send every number"
        " anew.\n"
    )
    assert one == f"Marked account TEA, from {AGO:%Y-%m-%d %H:%M:%S} UTC on.{follows}"
    for told in (every, usual):
        assert told.startswith("Marked 2 accounts, from 20")
        assert told.endswith(follows)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("--since", "2026-11-20T03:00:00Z", "--loss", "5"), "Give --since or --loss, not both."),
        (("--since", "yesterday"), "yesterday is not a time with its zone, like 2026-11-20T"),
        (("--since", "2026-11-20T03:00:00"), "is not a time with its zone"),
        (("--since", "2999-01-01T00:00:00Z"), "not from the future"),
        (("--loss", "99999999"), "at most 366 days ago"),
        (("--account", "NONE"), "There is no account NONE."),
    ],
)
def test_what_was_lost_is_said_rightly(
    database: Postgres, wrong: tuple[str, ...], why: str
) -> None:
    done = renkei("resync", *wrong, env={"RENKEI_DATABASE_URL": database.url(user=APP)})

    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
