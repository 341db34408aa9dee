"""Keeps a handful of processes of ours alive until it is told to stop.

Synchronous, on the main thread: what dies with its parent must be started there, and looking at a
few children five times a second costs nothing.
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import structlog

from renkei.engines.process import spawn, stop, wait_until
from renkei.refusal import Refusal

LOOK_EVERY = 0.2
CALM_SECONDS = 60.0
LONGEST_PAUSE = 30.0
START_PATIENCE = 60.0
STOP_PATIENCE = 20.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = structlog.get_logger("supervisor")


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, SIGTERM, or the terminal went away."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raises Stopped in the block at the first signal; the ones after it change nothing.

    A signal that was ignored when we began (nohup) stays ignored.
    """

    def stop_now(number: int, frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    heard = [each for each in STOPPING if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, stop_now) for each in heard}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Member(Protocol):
    """Anything kept alive: an engine or a service."""

    @property
    def name(self) -> str: ...
    def start(self) -> None: ...
    def has_ended(self) -> bool: ...
    def stop(self) -> None: ...


class Service:
    """A process of this command, such as `renkei worker`. Killed outright when we are killed:
    what it left unfinished is in the database, and its port must be free for the next run."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        listener: socket.socket | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._command = command
        self._env = env
        self._fds = (listener.fileno(),) if listener else ()
        self._is_ready = is_ready
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = spawn(
            self._command, dies_by=signal.SIGKILL, env=self._env, pass_fds=self._fds
        )

    def wait_ready(self) -> None:
        """Raises Refusal when it ends instead, or is not ready within a minute."""
        ready = wait_until(
            lambda: self.has_ended() or self._is_ready(),
            patience=START_PATIENCE,
        )
        if not ready or self.has_ended():
            raise Refusal(f"renkei {self.name} did not start; it says why above.")

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, (signal.SIGTERM, STOP_PATIENCE))


def this_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "renkei", *arguments]


def pause_before_restart(crashes: int) -> float:
    """Half a second after the first crash, doubling up to half a minute."""
    return min(0.5 * 2.0 ** min(crashes - 1, 10), LONGEST_PAUSE)


class Kept:
    """One member and its crashes; a calm minute forgets them."""

    def __init__(self, member: Member, now: float) -> None:
        self._member = member
        self._started = now
        self._crashes = 0
        self._due: float | None = None

    def look(self, now: float) -> None:
        if self._due is not None:
            self._start_when_due(now, self._due)
        elif self._member.has_ended():
            self._crashes = 1 if now - self._started > CALM_SECONDS else self._crashes + 1
            pause = pause_before_restart(self._crashes)
            log.warning("ended; starts again", member=self._member.name, seconds=pause)
            self._due = now + pause

    def _start_when_due(self, now: float, due: float) -> None:
        if now < due:
            return
        self._due, self._started = None, now
        try:
            self._member.start()
        except (Refusal, OSError) as error:
            log.error("did not start", member=self._member.name, why=str(error))


def keep(
    members: Sequence[Member],
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Starts again whatever ends, until a signal ends this."""
    kept = [Kept(member, clock()) for member in members]
    while True:
        for each in kept:
            each.look(clock())
        pause(LOOK_EVERY)


@contextmanager
def services(members: Sequence[Service]) -> Iterator[None]:
    """Started in order and ready; stopped in reverse."""
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait_ready()
        yield
    finally:
        for member in reversed(members):
            member.stop()
