"""Becomes another program that dies with its parent.

    python child.py PARENT SIGNAL UID GID -- PROGRAM ARGUMENT…

A program of its own, and not code between fork and exec, because Python must not run in the fork of
a process with threads. The death signal is set after the change of user, which would clear it; who
asks PARENT only then cannot miss a parent that died in between. UID -1 stays who we are.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, signal: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, signal, uid, gid = map(int, arguments[1:5])
    if uid >= 0:
        become(uid, gid)
    die_with(parent, signal)
    os.execv(arguments[6], arguments[6:])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv)
