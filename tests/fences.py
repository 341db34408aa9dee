"""What stands between fences in the documents: programs, commands, GraphQL."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
API = CHECKOUT / "docs" / "api.md"
PAGES = (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md")))

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def fenced(text: str, language: str) -> list[str]:
    return [body for named, body in FENCE.findall(text) if named == language]


def options(commands: str, option: str) -> Iterator[str]:
    """What the commands give to an option, as their shell would hand it over."""
    words = iter(shlex.split(commands.replace("\\\n", "")))
    yield from (next(words) for word in words if word == option)
