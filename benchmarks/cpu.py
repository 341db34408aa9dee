"""How long our processes have worked, told apart by what they do; read from /proc, so on Linux only."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
ROLES: Mapping[str, bytes] = {
    "worker": b"renkei\0worker\0",
    "sandbox": b"renkei\0sandbox\0",
    "postgres": b"postgres",
    "valkey": b"valkey",
}
PPID, OWN_TIMES = 1, slice(11, 13)


class Cpu:
    """Seconds of this process and of all that it started, by role, since the last `lap`."""

    def __init__(self) -> None:
        self._before = _seconds()

    def lap(self) -> dict[str, float]:
        before, self._before = self._before, _seconds()
        return {role: max(0.0, each - before.get(role, 0.0)) for role, each in self._before.items()}


def _seconds() -> dict[str, float]:
    """Children that ended meanwhile are not counted."""
    seconds = defaultdict[str, float](float)
    for pid in _family(os.getpid()):
        try:
            times = _stat(pid)[OWN_TIMES]
            seconds[_role(pid)] += sum(map(int, times)) / TICKS
        except OSError:
            continue
    return seconds


def _family(root: int) -> Iterator[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                children.setdefault(int(_stat(int(folder.name))[PPID]), []).append(int(folder.name))
            except OSError:
                continue
    waiting = [root]
    while waiting:
        yield (pid := waiting.pop())
        waiting += children.get(pid, [])


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _role(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    found = (role for role, words in ROLES.items() if words in command)
    return "benchmark" if pid == os.getpid() else next(found, "other")
