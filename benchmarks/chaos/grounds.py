"""The processes that a run happens to: engines, malls, API processes and workers, each killed and started again at will."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from urllib.parse import parse_qs, urlsplit

from benchmarks.chaos.relay import Relay, relay
from domain.settings import Settings
from renkei import serving
from renkei.embedded import Engines, engines
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import Postgres
from renkei.engines.process import spawn
from renkei.engines.valkey import Valkey
from renkei.supervisor import this_command

LOOK_EVERY = 0.1
START_AGAIN_AFTER = 0.5
READY_SECONDS = 60.0
POOL = "6"


@dataclass(slots=True)
class Member:
    """A process of ours that is started again whenever it has ended, unless it is `held` down.

    `command`: made anew at each start. `log`: what it says, one start after the other.
    """

    name: str
    command: Callable[[], Sequence[str]]
    env: Mapping[str, str]
    log: Path
    fds: tuple[int, ...] = ()
    held: bool = False
    starts: int = 0
    _process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """On the main thread: it dies with us."""
        with self.log.open("a") as log:
            self._process = spawn(
                self.command(),
                dies_by=signal.SIGKILL,
                env=self.env,
                output=log.fileno(),
                pass_fds=self.fds,
            )
        self.starts += 1

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def end(self) -> None:
        """At once, stopped or not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def ended(self) -> None:
        while not self.has_ended():  # noqa: ASYNC110  another process's end
            await asyncio.sleep(0.02)


@dataclass(slots=True)
class Grounds:
    """`settings`: as a process of ours beside them would have. `crew`: workers; `windows`: API processes."""

    settings: Settings
    data: Path
    postgres: Postgres
    valkey: Valkey
    malls: str
    addresses: Sequence[str]
    relay: Relay
    sandbox: Member
    crew: Sequence[Member]
    windows: Sequence[Member]
    engine: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def members(self) -> Sequence[Member]:
        return (self.sandbox, *self.crew, *self.windows)

    async def tend(self) -> None:
        """Starts again whatever ended by itself, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            ended = [each for each in self.members if each.has_ended() and not each.held]
            if ended:
                await asyncio.sleep(START_AGAIN_AFTER)
            for each in ended:
                if each.has_ended() and not each.held:
                    each.start()

    async def everything_answers(self) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(READY_SECONDS):
            for address in (self.malls, *self.addresses):
                while not await _answers(address):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

    def end(self) -> None:
        for each in reversed(self.members):
            each.end()


async def _answers(address: str) -> bool:
    """Does an application stand behind it?"""
    parts = urlsplit(address)
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                writer.write(b"GET /health HTTP/1.0\r\n\r\n")
                return (await reader.read(8)).startswith(b"HTTP/")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


@dataclass(frozen=True, slots=True)
class Site:
    """What is made before anything runs: engines that serve, and ports that stay ours while what answers there dies."""

    engines: Engines
    data: Path
    malls: socket
    windows: Sequence[socket]


def made_ready(folder: Path, apis: int, stack: ExitStack) -> Site:
    """`stack` takes it down again."""
    malls = stack.enter_context(serving.listen("127.0.0.1", 0))
    windows = [stack.enter_context(serving.listen("127.0.0.1", 0)) for _ in range(apis)]
    data = stack.enter_context(data_directory(folder))
    ours = stack.enter_context(engines(data, _environment(serving.address(malls))))
    return Site(ours, folder, malls, windows)


def _environment(malls: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RENKEI_")}
    return kept | {
        "RENKEI_LOG_LEVEL": "warning",
        "RENKEI_DATABASE_POOL": POOL,
        "RENKEI_SANDBOX_URL": malls,
        "RENKEI_SWEEP_SECONDS": "0.2",
        "RENKEI_COST_BUDGET": "10000000",
        "RENKEI_COST_RESTORE": "1000000",
    }


@asynccontextmanager
async def grounds(site: Site, workers: int, skews: Iterator[float]) -> AsyncIterator[Grounds]:
    """Everything runs and answers. The first worker and the first API process reach PostgreSQL by way of the relay."""
    postgres, valkey = _engines(site.engines)
    settings = Settings.from_env(site.engines.env)
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(relay(_folder_of(settings.database_url)))
        made = _peopled(site, postgres, valkey, settings, way, workers, skews)
        stack.callback(made.end)
        for each in made.members:
            each.start()
        tending = asyncio.create_task(made.tend())
        stack.callback(tending.cancel)
        await made.everything_answers()
        yield made


def _engines(ours: Engines) -> tuple[Postgres, Valkey]:
    [postgres] = [each for each in ours.started if isinstance(each, Postgres)]
    [valkey] = [each for each in ours.started if isinstance(each, Valkey)]
    return postgres, valkey


def _peopled(
    site: Site,
    postgres: Postgres,
    valkey: Valkey,
    settings: Settings,
    way: Relay,
    workers: int,
    skews: Iterator[float],
) -> Grounds:
    env = site.engines.env
    relayed = {**env, "RENKEI_DATABASE_URL": _by_way_of(settings.database_url, way.folder)}

    def worker() -> list[str]:
        return [sys.executable, "-m", "benchmarks.chaos.worker", f"{next(skews):.3f}"]

    def member(name: str, command: Callable[[], Sequence[str]], nth: int, *fds: int) -> Member:
        reaches = relayed if nth == 0 else env
        return Member(name, command, reaches, site.data / f"{name}.log", fds)

    def web(name: str, nth: int, listener: socket, *options: str) -> Member:
        command = this_command(name.split()[0], "--fd", str(listener.fileno()), *options)
        return member(name, lambda: command, nth, listener.fileno())

    no_books = str(site.data / "none")
    return Grounds(
        settings,
        site.data,
        postgres,
        valkey,
        serving.address(site.malls),
        [serving.address(each) for each in site.windows],
        way,
        web("sandbox", 1, site.malls, "--speed", "0", "--data-dir", no_books),
        [member(f"worker {nth}", worker, nth) for nth in range(workers)],
        [web(f"api {nth}", nth, each) for nth, each in enumerate(site.windows)],
    )


def _folder_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def _by_way_of(url: str, folder: Path) -> str:
    return url.replace(f"host={_folder_of(url)}", f"host={folder}")
