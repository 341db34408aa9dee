"""Tables of docs/api.md that follow from the code: written there between markers, and compared by a test."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from renkei.reference.codes import closings, errors, user_errors
from renkei.reference.limits import limits
from renkei.reference.rights import rights
from renkei.refusal import Refusal

TABLES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "rights": rights,
        "errors": errors,
        "user-errors": user_errors,
        "limits": limits,
        "close-codes": closings,
    }
)


def tables() -> str:
    """All of them, each between its markers."""
    return "\n\n".join(_marked(name, make()) for name, make in TABLES.items())


def brought_up_to_date(text: str) -> str:
    """With every table as it is now. Raises Refusal where the markers of one are missing."""
    for name, make in TABLES.items():
        found = re.compile(f"{_begin(name)}.*?{_end(name)}", re.DOTALL)
        before, *others = found.split(text)
        if len(others) != 1:
            raise Refusal(f"The table {name} needs one place: {_begin(name)} and {_end(name)}.")
        text = before + _marked(name, make()) + others[0]
    return text


def bring_up_to_date(path: Path) -> None:
    """Raises Refusal where it cannot be read or written, or has no place for a table."""
    try:
        text = path.read_text(encoding="utf-8")
        path.write_text(brought_up_to_date(text), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be brought up to date: {error}") from error


def _marked(name: str, table: str) -> str:
    return f"{_begin(name)}\n{table}\n{_end(name)}"


def _begin(name: str) -> str:
    return f"<!-- table {name} -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"
