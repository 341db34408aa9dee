"""The one folder that outlives a run.

renkei-data.json   says that the folder is ours; without it a folder with files is left alone
lock               held (flock) by the run that uses the folder; holds that run's process id
secret.key         encrypts credentials; made once
postgres/          PostgreSQL's files, owned by the engines' user
programs/          a copy of the engines' programs, where their user cannot reach the wheels
"""

import base64
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from renkei.engines.process import wait_until
from renkei.engines.runner import Runner, engine_runner
from renkei.refusal import Refusal

MARKER = "renkei-data.json"
LAYOUT = 1
SECRET_KEY = "secret.key"
LOOKING = 0.5


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """A folder that is ours, claimed and locked for as long as `data_directory` runs."""

    path: Path
    runner: Runner

    def engine_folder(self, name: str) -> Path:
        """A folder of the engines' user, for its eyes only; made when it is not there."""
        folder = self.path / name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.runner.owns(folder)
        return folder

    def remove(self, name: str) -> None:
        shutil.rmtree(self.path / name, ignore_errors=True)

    def secret_key(self) -> str:
        """32 random bytes in base64, made at the first call and the same ever after."""
        file = self.path / SECRET_KEY
        if not file.exists():
            self.write_private(file.name, base64.b64encode(secrets.token_bytes(32)).decode())
        return file.read_text().strip()

    def write_private(self, name: str, text: str) -> None:
        """All of the text or none of it, readable by its owner alone."""
        draft = self.path / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(self.path / name)


@contextmanager
def data_directory(path: Path) -> Iterator[DataDirectory]:
    """Claim the folder, making it when it is not there, and keep every other run out of it.

    Raises Refusal: it holds files of others, belongs to another user, cannot be read or reached by
    the engines' user, or another run holds it.
    """
    data = DataDirectory(path.expanduser().resolve(), engine_runner())
    try:
        _claim(data.path)
        lock = os.open(data.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refusal(
            f"The data directory {data.path} cannot be used: {error.strerror} ({error.filename})."
            " Give one that you may read and write with --data-dir."
        ) from error
    try:
        _hold(lock, data.path)
        _check_reach(data)
        yield data
    finally:
        os.close(lock)


def _claim(path: Path) -> None:
    if not path.exists():
        _make(path)
    _check_owner(path)
    marker = path / MARKER
    if not marker.exists():
        _take_over_empty(path)
        marker.write_text(json.dumps({"layout": LAYOUT}) + "\n")
    _check_marker(marker)


def _make(path: Path) -> None:
    """Our own folders only: the missing parents open to pass through, the last one to us."""
    missing = [folder for folder in reversed(path.parents) if not folder.exists()]
    for folder in missing:
        folder.mkdir()
        folder.chmod(0o755)
    path.mkdir()
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _take_over_empty(path: Path) -> None:
    if not path.is_dir():
        raise Refusal(f"{path} is not a folder. Give another data directory with --data-dir.")
    if any(path.iterdir()):
        raise Refusal(
            f"{path} holds files that are not Renkei's (there is no {MARKER} in it), and is left"
            " as it is. Give an empty or a new folder with --data-dir."
        )


def _check_owner(path: Path) -> None:
    """Whoever owns a folder may change all that is in it; so it is ours, or at least root's."""
    owner = path.stat().st_uid
    if owner not in (os.geteuid(), 0):
        raise Refusal(
            f"The data directory {path} belongs to user id {owner}, and you are {os.geteuid()}."
            " Start renkei as that user, or give another with --data-dir."
        )


def _check_marker(marker: Path) -> None:
    try:
        layout = json.loads(marker.read_text())["layout"]
    except (ValueError, KeyError, TypeError):
        layout = None
    if layout != LAYOUT:
        raise Refusal(
            f"The data directory {marker.parent} is laid out for another version of Renkei"
            f" ({MARKER} says {layout}, this one knows {LAYOUT}). Give another with --data-dir."
        )


def _hold(lock: int, path: Path) -> None:
    """For a moment the lock may be another command's that only looks whether anyone holds it."""
    if not wait_until(lambda: _locks(lock), patience=LOOKING):
        holder = os.read(lock, 20).decode().strip() or "unknown"
        raise in_use(path, holder)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())


def in_use(path: Path, holder: object) -> Refusal:
    return Refusal(
        f"The data directory {path} is in use by another renkei (process {holder})."
        " Stop that one, or give another with --data-dir."
    )


def _locks(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_reach(data: DataDirectory) -> None:
    obstacle = data.runner.obstacle(data.path)
    if obstacle is not None:
        raise Refusal(
            f"As root the engines run as user id {data.runner.uid}, who cannot reach the data"
            f" directory {data.path}: {obstacle} does not let others pass. Give one below a folder"
            " that does with --data-dir (such as /var/tmp/renkei); no mode was changed."
        )
