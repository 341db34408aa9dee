"""PostgreSQL 18: initdb once, then the server in the foreground, reached by its socket alone."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from renkei.engines import binaries
from renkei.engines.datadir import DataDirectory
from renkei.engines.process import Words, spawn, stop, wait_until
from renkei.engines.sockets import socket_folder
from renkei.refusal import Refusal

SUPERUSER = "postgres"
DATABASE = "renkei"
APP = "renkei_app"
MAJOR = "18"
PATIENCE = 60.0
PREDECESSOR_PATIENCE = 30.0

INITDB = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",
    "--auth-host=reject",
    "--no-instructions",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    # A line a second while it recovers is how we know that it gets on.
    "log_startup_progress_interval": "1s",
    # What was planned while a table was small is planned anew once it has grown: looked for each minute by default.
    "autovacuum_naptime": "10s",
}
UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Looked at in the middle of one large transaction a table seems empty, and its statements are planned for that.
    "autovacuum_naptime": "1min",
}


class Postgres:
    """One server on one data directory, which may be started again after it has ended."""

    name = "postgres"

    def __init__(self, data: DataDirectory, sockets: Path, *, fsync: bool = True) -> None:
        self._data = data
        self._sockets = sockets
        self._settings = SETTINGS | ({} if fsync else UNSAFE_BUT_FAST)
        self._program = binaries.program(data, binaries.POSTGRES, "*/pginstall/bin/postgres")
        self._process: subprocess.Popen[str] | None = None
        self._words: Words | None = None

    @property
    def files(self) -> Path:
        return self._data.path / "postgres"

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def start(self) -> None:
        """`spawn` and `wait_ready`."""
        self.spawn()
        self.wait_ready()

    def url(self, database: str = DATABASE, user: str = SUPERUSER) -> str:
        """A SQLAlchemy URL of the asyncpg dialect, by way of the socket."""
        return f"postgresql+asyncpg://{user}@/{database}?host={quote(str(self._sockets), safe='/')}"

    def spawn(self) -> None:
        """Make the cluster when there is none yet, and start the server. On the main thread."""
        if not self.files.exists():
            self._initdb()
        self._check_version()
        self._wait_for_predecessor()
        settings = self._settings | {"unix_socket_directories": str(self._sockets)}
        options = [word for item in settings.items() for word in ("-c", "=".join(item))]
        self._start([self._program, "-D", self.files, *options], signal.SIGQUIT)

    def wait_ready(self) -> None:
        """Return once it takes connections, however long recovery takes while it gets on.

        Raises Refusal with the server's last words when it ends, or says nothing for a minute.
        """
        words = self._words
        assert words is not None
        done = wait_until(
            lambda: self._is_ready() or self.has_ended(),
            progress=lambda: words.count,
            patience=PATIENCE,
        )
        if not done or self.has_ended():
            self.stop()
            raise Refusal(f"PostgreSQL did not start. It said:\n{words.last()}")

    def stop(self) -> None:
        """Close all sessions and write a checkpoint; less gently when that takes too long."""
        if self._process is not None:
            stop(self._process, (signal.SIGINT, 30), (signal.SIGQUIT, 5))

    def _initdb(self) -> None:
        """In a draft folder, so that one interrupted half-way is no cluster."""
        self._data.remove("postgres.draft")
        draft = self._data.engine_folder("postgres.draft")
        sync = () if self._settings.get("fsync") != "off" else ("--no-sync",)
        program = self._program.with_name("initdb")
        self._start([program, "-D", draft, *INITDB, *sync], signal.SIGKILL)
        try:
            self.process.wait()
        finally:
            stop(self.process)
        if self.process.returncode != 0 and self._words:
            raise Refusal(f"PostgreSQL's initdb failed. It said:\n{self._words.last()}")
        draft.rename(self.files)

    def _start(self, command: list[str | Path], dies_by: signal.Signals) -> None:
        self._process = spawn(
            command,
            dies_by=dies_by,
            runner=self._data.runner,
            env={"LC_ALL": "C", "PATH": os.defpath},
            output=subprocess.PIPE,
        )
        self._words = Words(self.name, self._process)

    def _check_version(self) -> None:
        found = (self.files / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise Refusal(
                f"{self.files} was written by PostgreSQL {found}, and this is {MAJOR}. Move its"
                " data with pg_dump and pg_restore, or give another folder with --data-dir."
            )

    def _wait_for_predecessor(self) -> None:
        """A killed run's server may still be ending; its process id may be another's by now."""
        note = self.files / "postmaster.pid"
        if not wait_until(
            lambda: not self._is_served_by(_noted_process(note)),
            patience=PREDECESSOR_PATIENCE,
        ):
            raise Refusal(
                f"Another PostgreSQL (process {_noted_process(note)}) still uses {self.files}."
                " Stop it, then start renkei again."
            )
        note.unlink(missing_ok=True)

    def _is_served_by(self, pid: int | None) -> bool:
        try:
            return os.fsencode(self.files) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    def _is_ready(self) -> bool:
        """PostgreSQL notes its state in the eighth line of its pid file."""
        note = self.files / "postmaster.pid"
        lines = note.read_text().splitlines() if note.exists() else []
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"


def _noted_process(note: Path) -> int | None:
    lines = note.read_text().splitlines() if note.exists() else []
    return int(lines[0]) if lines and lines[0].isdigit() else None


@contextmanager
def embedded_postgres(data: DataDirectory, *, fsync: bool = True) -> Iterator[Postgres]:
    """A ready server for as long as the block runs."""
    with socket_folder(data, Postgres.name) as sockets:
        server = Postgres(data, sockets, fsync=fsync)
        try:
            server.start()
            yield server
        finally:
            server.stop()
