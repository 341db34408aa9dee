"""What the data directory keeps, whom it lets in, and what a crash may have left in it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from renkei import home
from renkei.engines import process
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import embedded_postgres
from renkei.engines.runner import Runner, engine_runner
from renkei.engines.sockets import LONGEST_FOLDER, socket_folder


def test_the_secret_key_is_made_once_for_its_owner_alone(place: Path) -> None:
    with data_directory(place / "data") as data:
        key = data.secret_key()
    with data_directory(place / "data") as data:
        assert data.secret_key() == key
    assert stat.S_IMODE((place / "data" / "secret.key").stat().st_mode) == 0o600
    assert home.kept_secret(place / "data") == {"RENKEI_SECRET_KEY": key}


def test_an_empty_folder_is_taken_as_it_is(place: Path) -> None:
    place.chmod(0o751)
    with data_directory(place) as data:
        assert data.path == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o751


def test_missing_parents_are_made_passable_whatever_the_umask(place: Path) -> None:
    before = os.umask(0o077)
    try:
        with data_directory(place / "a" / "b") as data:
            assert data.runner.obstacle(data.path) is None
    finally:
        os.umask(before)
    last = 0o711 if os.geteuid() == 0 else 0o700
    modes = [stat.S_IMODE(folder.stat().st_mode) for folder in (place / "a", place / "a" / "b")]
    assert modes == [0o755, last]


@pytest.mark.parametrize(
    ("case", "mode", "uid", "gid", "enters"),
    [
        ("open to all", 0o701, 1001, 1001, True),
        ("closed to others", 0o770, 1001, 1001, False),
        ("open to its group", 0o710, 1001, 500, True),
        ("closed to its group, though open to others", 0o701, 1001, 500, False),
        ("its own", 0o700, 500, 1001, True),
        ("its own, and closed", 0o677, 500, 500, False),
    ],
)
def test_who_may_enter(case: str, mode: int, uid: int, gid: int, enters: bool) -> None:
    folder = os.stat_result((stat.S_IFDIR | mode, 0, 0, 2, 500, 500, 0, 0, 0, 0))
    assert Runner(uid, gid, switches=True).may_enter(folder) is enters, case


def test_a_note_with_another_programs_process_id_does_not_stop_postgres(place: Path) -> None:
    with data_directory(place / "data") as data:
        with embedded_postgres(data, fsync=False):
            note = data.path / "postgres" / "postmaster.pid"
            lines = note.read_text().splitlines()
        note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        data.runner.owns(note)
        with embedded_postgres(data, fsync=False) as server:
            assert not server.has_ended()


def test_sockets_get_a_short_path_under_a_long_temporary_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = place / ("x" * 60) / ("y" * 60)
    long.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with data_directory(place / "data") as data, socket_folder(data, "postgres") as folder:
        assert len(os.fsencode(folder)) <= LONGEST_FOLDER
        assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (
            engine_runner().uid,
            0o700,
        )
    assert not folder.exists()


def test_sockets_of_a_crashed_run_are_removed(place: Path) -> None:
    left = place / "renkei-left"
    left.mkdir()
    with data_directory(place / "data") as data:
        data.write_private("postgres.sockets", str(left))
        with socket_folder(data, "postgres"):
            assert not left.exists()


def test_a_child_whose_parent_is_gone_already_does_not_begin() -> None:
    shim = [sys.executable, "-I", "-S", str(process.SHIM)]
    orphan = subprocess.run([*shim, "1", "9", "-1", "-1", "--", "/bin/echo", "begun"], stdout=-1)
    assert (orphan.returncode, orphan.stdout) == (1, b"")


def test_the_default_is_one_a_checkout_and_roots_is_within_reach() -> None:
    default = home.data_path(None, {})
    assert default.parent == (Path("/var/tmp") if os.geteuid() == 0 else home.CHECKOUT)
    assert home.data_path(None, {"RENKEI_DATA_DIR": "/srv/renkei"}) == Path("/srv/renkei")
    assert home.data_path(Path("/here"), {"RENKEI_DATA_DIR": "/srv/renkei"}) == Path("/here")


def test_other_commands_find_what_runs_and_nothing_when_it_has_gone(place: Path) -> None:
    addresses = {"RENKEI_REDIS_URL": "unix:///somewhere"}
    with data_directory(place / "data") as data, home.announced(data, addresses):
        assert home.running(data.path) == addresses
        data.write_private(home.RUNNING, '{"process": 1, "addresses": {}}')
        with pytest.raises(Exception, match="is just starting"):
            home.running(data.path)
    assert home.running(data.path) is None
    assert home.running(place / "never") is None
