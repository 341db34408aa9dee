"""What the demo remembers of its first run, beside the engines it belongs to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from renkei.engines.datadir import DataDirectory

FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class Note:
    """A seeded demo: its token, how many orders it was seeded for, how fast its malls run."""

    token: str
    orders: int
    speed: float


def read_note(folder: Path) -> Note | None:
    file = folder / FILE
    return Note(**json.loads(file.read_text())) if file.exists() else None


def speed_of_malls(folder: Path) -> float:
    """How fast the sandbox malls of this folder run: the demo's shops send as fast as theirs do."""
    note = read_note(folder)
    return note.speed if note else 1.0


def write_note(data: DataDirectory, note: Note) -> None:
    data.write_private(FILE, json.dumps(asdict(note)))
