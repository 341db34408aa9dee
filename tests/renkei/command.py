"""The `renkei` command as its users meet it: processes, signals, what is left behind."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_SECONDS, PROCESS_SECONDS

CHECKOUT = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).with_name("stand_ins")
AS_NOBODY = (sys.executable, str(Path(__file__).with_name("as_nobody.py")))
READY = re.compile(r"Renkei is ready: (http://\S+)")


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return once the condition holds; fail when it does not within the time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def environment(**extra: str) -> dict[str, str]:
    """Ours, without any RENKEI variable but `extra`, and with the stand-in before the real API."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RENKEI_")}
    path = os.pathsep.join([str(STAND_INS), str(CHECKOUT)])
    return kept | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | extra


def renkei(
    *arguments: str, env: Mapping[str, str] | None = None, typed: str = ""
) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself. `typed`: its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "renkei", *arguments],
        env=environment(**(env or {})),
        cwd=STAND_INS,
        input=typed,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )


@dataclass
class Up:
    """A running `renkei up`."""

    process: "subprocess.Popen[str]"
    errors: Path
    lines: "queue.Queue[str]"
    address: str = ""

    @classmethod
    def start(
        cls,
        data: Path | None,
        errors: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
        checkout: Path = CHECKOUT,
    ) -> "Up":
        where = ["--data-dir", str(data)] if data else []
        path = os.pathsep.join([str(STAND_INS), str(checkout)])
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [*launcher, sys.executable, "-m", "renkei", "up", "--port", "0", *where, *options],
                env=environment(
                    **{"PYTHONPATH": path, "TMPDIR": str(errors.parent), **(env or {})}
                ),
                cwd=STAND_INS,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        up = cls(process, errors, queue.Queue())
        threading.Thread(target=up._listen, daemon=True).start()
        return up

    def ready(self) -> "Up":
        until(lambda: self._heard() or self.process.poll() is not None, PROCESS_SECONDS)
        assert self.address, self.errors.read_text()
        return self

    def family(self) -> dict[int, str]:
        """Every process below this one: its id and the name of its program."""
        found, below = {self.process.pid: "renkei"}, list(processes())
        while more := {p: name for p, up, name in below if up in found and p not in found}:
            found |= more
        return found

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ctrl_c(self) -> None:
        """As a terminal does it: to the whole group of the foreground process."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> dict[int, str]:
        """Answers with the family as it was."""
        family = self.family()
        self.process.kill()
        self.process.wait()
        return family

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)

    def _heard(self) -> bool:
        while not self.lines.empty():
            if match := READY.search(self.lines.get()):
                self.address = match[1]
        return bool(self.address)


def processes() -> Iterator[tuple[int, int, str]]:
    """Of every live process: its id, its parent's, the name of its program."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (folder / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        state, parent, *_ = rest.split()
        if state != "Z":
            yield int(folder.name), int(parent), name


def alive(pids: Sequence[int] | Mapping[int, str]) -> set[int]:
    return {pid for pid, _, _ in processes()} & set(pids)


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid
