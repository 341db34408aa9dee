"""What a benchmark of the loop stands on: PostgreSQL, Valkey, the malls and workers, each a process of its own.

All of it lies in a new folder that goes when the block ends, and dies with the benchmark however that ends.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import Cpu
from domain.settings import Settings
from renkei import serving, supervisor
from renkei.embedded import engines
from renkei.engines.datadir import data_directory
from renkei.supervisor import Service, this_command

UNHINDERED = 0.0
"""The speed of malls without limits and delays."""

Around = Callable[[list[str]], list[str]]
"""The command that runs a worker's command: a profiler, say."""


def alone(command: list[str]) -> list[str]:
    return command


@dataclass(frozen=True, slots=True)
class Stand:
    """`malls`: their address. `cpu`: what the processes have worked."""

    settings: Settings
    malls: str
    cpu: Cpu


@contextmanager
def stand(*, workers: int, speed: float = UNHINDERED, around: Around = alone) -> Iterator[Stand]:
    """`speed`: the malls' as the sandbox has it; 0 lifts their limits and delays."""
    folder = Path(tempfile.gettempdir()) / f"renkei-benchmark-{secrets.token_hex(4)}"
    try:
        with (
            supervisor.stopping_on_signals(),
            serving.listen("127.0.0.1", 0) as listener,
            data_directory(folder) as data,
            engines(data, _environment(serving.address(listener))) as ours,
        ):
            malls = Service(
                "sandbox",
                this_command("sandbox", "--fd", str(listener.fileno()), "--speed", f"{speed:g}"),
                env=ours.env,
                listener=listener,
                is_ready=lambda: serving.answers(listener),
            )
            crew = [
                Service(f"worker {nth}", around(this_command("worker")), env=ours.env)
                for nth in range(workers)
            ]
            with supervisor.services([malls, *crew]):
                yield Stand(Settings.from_env(ours.env), serving.address(listener), Cpu())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(malls: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RENKEI_")}
    quiet = {"RENKEI_LOG_LEVEL": "error", "RENKEI_DATABASE_POOL": "10"}
    return kept | quiet | {"RENKEI_SANDBOX_URL": malls}
