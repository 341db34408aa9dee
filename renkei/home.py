"""What the commands of one data directory share: where it is, and what runs on it now."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import renkei
from renkei.engines.datadir import SECRET_KEY, DataDirectory
from renkei.refusal import Refusal

CHECKOUT = Path(renkei.__file__).resolve().parents[1]
RUNNING = "running.json"
Addresses = Mapping[str, str]


def data_path(option: Path | None, env: Mapping[str, str], checkout: Path = CHECKOUT) -> Path:
    """`--data-dir`, else RENKEI_DATA_DIR, else one a checkout: its own folder .renkei.

    Root's lies under /var/tmp, where the engines' user can reach it.
    """
    if option is not None:
        return option
    if env.get("RENKEI_DATA_DIR"):
        return Path(env["RENKEI_DATA_DIR"])
    if os.geteuid() == 0:
        name = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]
        return Path(f"/var/tmp/renkei-{name}")  # noqa: S108
    return checkout / ".renkei"


@contextmanager
def announced(data: DataDirectory, addresses: Addresses) -> Iterator[None]:
    """Other commands on this data directory find what we started, for as long as we run."""
    note = {"process": os.getpid(), "addresses": dict(addresses)}
    data.write_private(RUNNING, json.dumps(note))
    try:
        yield
    finally:
        (data.path / RUNNING).unlink(missing_ok=True)


def running(path: Path) -> Addresses | None:
    """The addresses that the run on this data directory announced; None when there is no run.

    Raises Refusal when it is another user's, or has only begun.
    """
    try:
        holder = holder_of(path)
        note = _note(path / RUNNING)
    except PermissionError as error:
        raise Refusal(f"{error.filename} is another user's. Run this as that user.") from error
    if holder is None:
        return None
    if note.get("process") != holder:
        raise Refusal(f"renkei (process {holder}) is just starting on {path}. Try again shortly.")
    addresses: Addresses = note["addresses"]
    return addresses


def _note(file: Path) -> dict[str, Any]:
    note: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return note


def kept_secret(path: Path) -> Mapping[str, str]:
    """The data directory's key, as a setting; nothing where there is none."""
    file = path / SECRET_KEY
    return {"RENKEI_SECRET_KEY": file.read_text().strip()} if file.exists() else {}


def holder_of(path: Path) -> int | None:
    """The process that runs on this data directory; None when there is none. Raises PermissionError."""
    lock = path / "lock"
    if not lock.exists():
        return None
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0)
    return None
