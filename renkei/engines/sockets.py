"""The folder of the engines' sockets: private, with a path short enough for a socket's name."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renkei.engines.datadir import DataDirectory
from renkei.refusal import Refusal

# sun_path holds 108 bytes with its closing zero; the longest name we put below is PostgreSQL's lock.
LONGEST_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


@contextmanager
def socket_folder(data: DataDirectory, engine: str) -> Iterator[Path]:
    """A fresh 0700 folder of the engines' user, gone afterwards, as is what a crashed run left.

    Its name is random, for nobody to be there first; a note in the data directory remembers it.
    """
    note = data.path / f"{engine}.sockets"
    _remove_noted(note)
    folder = Path(tempfile.mkdtemp(prefix="renkei-", dir=_place(data)))
    try:
        data.write_private(note.name, str(folder))
        data.runner.owns(folder)
        yield folder
    finally:
        _remove_noted(note)


def _place(data: DataDirectory) -> Path:
    wishes = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108
    for place in (Path(wish) for wish in wishes if wish):
        if _suits(place, data):
            return place
    raise Refusal(
        "There is no folder for the engines' sockets: neither XDG_RUNTIME_DIR, TMPDIR, /tmp nor"
        f" /var/tmp can be written and has a path shorter than {LONGEST_FOLDER - 16} bytes."
    )


def _suits(place: Path, data: DataDirectory) -> bool:
    longest = len(os.fsencode(place)) + len("/renkei-") + 8
    return (
        longest <= LONGEST_FOLDER
        and place.is_dir()
        and os.access(place, os.W_OK | os.X_OK)
        and data.runner.obstacle(place) is None
    )


def _remove_noted(note: Path) -> None:
    if not note.exists():
        return
    folder = Path(note.read_text())
    if folder.name.startswith("renkei-") and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    note.unlink()
