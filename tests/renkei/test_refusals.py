"""Bad input: one clear message that says what to do, exit code 1, no stack trace, nothing changed."""

import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from renkei.engines.postgres import APP, Postgres
from renkei.engines.valkey import Valkey
from tests import databases
from tests.renkei.command import Up, renkei

Start = Callable[..., Up]
KEY = "ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY="


def refusal(*arguments: str, **env: str) -> str:
    done = renkei(*arguments, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("renkei: ")
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("renkei: ").strip()


@pytest.fixture
async def scratch(database: Postgres) -> AsyncIterator[str]:
    """The name of a database of one test's own, at this version."""
    async with databases.scratch(database) as own:
        yield own.name


async def stamp(database: Postgres, name: str, version: str | None) -> None:
    connection = await asyncpg.connect(database.url(name).replace("+asyncpg", ""))
    if version is None:
        await connection.execute("DELETE FROM alembic_version")
    else:
        await connection.execute("UPDATE alembic_version SET version_num = $1", version)
    await connection.close()


def test_a_busy_port_is_told_before_anything_starts(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("up", "--port", str(port), "--data-dir", str(place / "data"))
    assert said == (
        f"Port {port} on 127.0.0.1 is busy. Stop what listens there, or choose another with"
        " --port (0 picks a free one)."
    )
    assert not (place / "data").exists()


def test_a_folder_with_files_of_others_is_left_as_it_is(place: Path) -> None:
    (place / "letters.txt").write_text("Dear Sir")
    before = place.stat()

    said = refusal("up", "--port", "0", "--data-dir", str(place))

    assert f"{place} holds files that are not Renkei's" in said
    assert "--data-dir" in said
    assert [file.name for file in place.iterdir()] == ["letters.txt"]
    assert (place.stat().st_mode, place.stat().st_uid) == (before.st_mode, before.st_uid)


def test_a_file_is_no_data_directory(place: Path) -> None:
    file = place / "file"
    file.touch()
    assert "is not a folder" in refusal("up", "--port", "0", "--data-dir", str(file))


def test_a_data_directory_that_cannot_be_reached_is_told_and_no_mode_changes(place: Path) -> None:
    closed = place / "closed"
    data = closed / "data"
    data.mkdir(parents=True)
    closed.chmod(0o700 if os.geteuid() == 0 else 0o000)
    try:
        said = refusal("up", "--port", "0", "--data-dir", str(data))
        assert str(closed) in said
        assert "--data-dir" in said
        assert closed.stat().st_mode & 0o7777 == (0o700 if os.geteuid() == 0 else 0o000)
    finally:
        closed.chmod(0o700)


@pytest.mark.parametrize(
    ("case", "marker", "words"),
    [
        ("a newer layout", '{"layout": 2}', "is laid out for another version of Renkei"),
        ("no layout at all", "nonsense", "is laid out for another version of Renkei"),
    ],
)
def test_a_data_directory_of_another_version(
    place: Path, case: str, marker: str, words: str
) -> None:
    (place / "renkei-data.json").write_text(marker)
    assert words in refusal("up", "--port", "0", "--data-dir", str(place)), case


def test_files_of_another_postgres_are_not_touched(place: Path) -> None:
    data = place / "data"
    (data / "postgres").mkdir(parents=True)
    (data / "renkei-data.json").write_text('{"layout": 1}')
    (data / "postgres" / "PG_VERSION").write_text("17\n")
    said = refusal("up", "--port", "0", "--data-dir", str(data))
    assert "was written by PostgreSQL 17, and this is 18" in said
    assert [file.name for file in (data / "postgres").iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("same_port", [False, True])
def test_a_data_directory_in_use_is_told_with_its_holder(
    place: Path, up: Start, same_port: bool
) -> None:
    data = place / "data"
    first = up(data, "--no-sandbox").ready()
    port = first.address.rpartition(":")[2] if same_port else "0"
    said = refusal("up", "--port", port, "--data-dir", str(data))
    assert said == (
        f"The data directory {data} is in use by another renkei (process {first.process.pid})."
        " Stop that one, or give another with --data-dir."
    )


@pytest.mark.parametrize(
    ("case", "env", "words"),
    [
        (
            "no database there",
            {"RENKEI_DATABASE_URL": "postgresql://me:sesame@127.0.0.1:1/x"},
            "Connect call failed",
        ),
        (
            "not an address",
            {"RENKEI_DATABASE_URL": "sqlite:///x"},
            "RENKEI_DATABASE_URL is not an address like",
        ),
        (
            "not a port",
            {"RENKEI_DATABASE_URL": "postgresql://h:port/x"},
            "RENKEI_DATABASE_URL is not an address like",
        ),
        ("a log level", {"RENKEI_LOG_LEVEL": "loud"}, "RENKEI_LOG_LEVEL is none of"),
        (
            "a short key",
            {"RENKEI_SECRET_KEY": "c2hvcnQ="},
            "RENKEI_SECRET_KEY is not 32 bytes in base64",
        ),
    ],
)
def test_wrong_settings_are_named(place: Path, case: str, env: dict[str, str], words: str) -> None:
    said = refusal("up", "--port", "0", "--no-sandbox", "--data-dir", str(place / "data"), **env)
    assert words in said, case
    assert "sesame" not in said


def test_valkey_that_does_not_answer(place: Path) -> None:
    said = refusal(
        "up", "--port", "0", "--no-sandbox", "--data-dir", str(place / "data"),
        RENKEI_REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert "Check that it runs, and RENKEI_REDIS_URL." in said


def test_what_serves_alone_needs_something_to_serve_from(place: Path) -> None:
    said = refusal("api", "--port", "0", "--data-dir", str(place / "data"))
    assert "Start `renkei up`, or set RENKEI_DATABASE_URL" in said


async def test_missing_settings_are_named_together(place: Path) -> None:
    said = refusal(
        "worker", "--data-dir", str(place / "data"),
        RENKEI_DATABASE_URL="postgresql://h/x", RENKEI_REDIS_URL="nowhere",
    )  # fmt: skip
    assert [line.split()[0] for line in said.splitlines()] == [
        "RENKEI_REDIS_URL",
        "RENKEI_SECRET_KEY",
    ]


async def test_an_older_schema_asks_for_migrate(
    database: Postgres, valkey: Valkey, scratch: str, place: Path
) -> None:
    await stamp(database, scratch, None)
    said = refusal(
        "worker", "--data-dir", str(place),
        RENKEI_DATABASE_URL=database.url(scratch), RENKEI_REDIS_URL=valkey.url, RENKEI_SECRET_KEY=KEY,
    )  # fmt: skip
    assert said.endswith("Run: renkei migrate")


@pytest.mark.parametrize("command", [("migrate",), ("up", "--port", "0", "--no-sandbox")])
async def test_a_newer_schema_is_left_alone(
    database: Postgres, valkey: Valkey, scratch: str, place: Path, command: tuple[str, ...]
) -> None:
    await stamp(database, scratch, "9999")
    said = refusal(
        *command, "--data-dir", str(place / "data"),
        RENKEI_DATABASE_URL=database.url(scratch), RENKEI_REDIS_URL=valkey.url, RENKEI_SECRET_KEY=KEY,
    )  # fmt: skip
    assert "is at version 9999, newer than this program" in said


async def test_a_login_that_row_level_security_does_not_hold_is_refused(
    database: Postgres, valkey: Valkey, place: Path
) -> None:
    said = refusal(
        "worker", "--data-dir", str(place),
        RENKEI_DATABASE_URL=database.url(), RENKEI_REDIS_URL=valkey.url, RENKEI_SECRET_KEY=KEY,
    )  # fmt: skip
    assert "connects as postgres, which row-level security does not hold" in said


def test_with_both_addresses_set_nothing_is_started(
    database: Postgres, valkey: Valkey, place: Path, up: Start
) -> None:
    run = up(
        place / "data",
        "--no-sandbox",
        env={
            "RENKEI_DATABASE_URL": database.url(user=APP),
            "RENKEI_OWNER_DATABASE_URL": database.url(),
            "RENKEI_REDIS_URL": valkey.url,
        },
    ).ready()
    assert set(run.family().values()) & {"postgres", "valkey-server"} == set()
    assert not (place / "data" / "postgres").exists()
