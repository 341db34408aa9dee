"""A child of ours: started so that it dies with us, its last words kept, waited for, stopped."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from renkei.engines.runner import Runner

SHIM = Path(__file__).with_name("child.py")
WORDS_KEPT = 40
LOOK_AGAIN = 0.02


def spawn(
    command: Sequence[str | Path],
    *,
    dies_by: signal.Signals,
    runner: Runner | None = None,
    env: Mapping[str, str] | None = None,
    output: int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[str]:
    """Start a child that gets `dies_by` when this process ends, however it ends.

    It leads a session of its own, so that Ctrl-C reaches us alone. Call it on the main thread: the
    kernel takes the end of the starting thread for the end of the parent.
    """
    uid, gid = (runner.uid, runner.gid) if runner and runner.switches else (-1, -1)
    words = [os.getpid(), int(dies_by), uid, gid, "--", *command]
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", str(SHIM), *map(str, words)],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        pass_fds=pass_fds,
        start_new_session=True,
        cwd="/" if runner else None,
        text=True,
        errors="replace",
    )


class Words:
    """What a child says, read as it comes so that it never waits on us; the last lines are kept."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.count = 0
        self._last: deque[str] = deque(maxlen=WORDS_KEPT)
        self._log = structlog.get_logger(name)
        self._process = process
        self._thread = threading.Thread(target=self._listen, name=f"{name} output", daemon=True)
        self._thread.start()

    def last(self) -> str:
        """All that was kept of a child that has ended."""
        self._thread.join(timeout=1)
        return "\n".join(self._last)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.count += 1
                self._last.append(line.rstrip())
                self._log.debug(line.rstrip())


def wait_until(
    ready: Callable[[], bool],
    *,
    patience: float,
    progress: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """True once `ready`; false when `progress` has not changed for `patience` seconds."""
    seen, since = progress(), clock()
    while not ready():
        if (now_seen := progress()) != seen:
            seen, since = now_seen, clock()
        elif clock() - since > patience:
            return False
        pause(LOOK_AGAIN)
    return True


def stop(process: subprocess.Popen[str], *steps: tuple[signal.Signals, float]) -> None:
    """Each signal and the seconds it has to work, then SIGKILL."""
    for number, patience in steps:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
    process.kill()
    process.wait()
