"""Which user the engines run as. PostgreSQL refuses root, and nothing of ours needs it."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from renkei.refusal import Refusal

UNPRIVILEGED = ("nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Runner:
    """The user of the engines. `switches` is false when that is simply who we are."""

    uid: int
    gid: int
    switches: bool

    def owns(self, path: Path) -> None:
        """Hand over a file or folder that we made for the engines."""
        if self.switches:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, folder: os.stat_result) -> bool:
        """By owner, group and mode; as whoever we are, the kernel will tell."""
        if not self.switches:
            return True
        return bool(self._bits(folder) & stat.S_IXOTH)

    def obstacle(self, path: Path) -> Path | None:
        """The first folder from the root down to `path` that this user cannot enter."""
        folders = (*reversed(path.parents), path)
        return next((f for f in folders if f.is_dir() and not self.may_enter(f.stat())), None)

    def _bits(self, folder: os.stat_result) -> int:
        if folder.st_uid == self.uid:
            return folder.st_mode >> 6
        return folder.st_mode >> 3 if folder.st_gid == self.gid else folder.st_mode


def engine_runner() -> Runner:
    """Ourselves; an existing unprivileged user when we are root.

    Raises Refusal when there is none: initdb needs a user that the system knows by name.
    """
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid(), switches=False)
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(user.pw_uid, user.pw_gid, switches=True)
    raise Refusal(
        "PostgreSQL does not run as root, and this system has no user 'nobody' to run it as."
        " Start renkei as an ordinary user, or set RENKEI_DATABASE_URL and RENKEI_REDIS_URL."
    )
