"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown of one line."""
    return "\n".join(map(_line, [head, ["---"] * len(head), *rows]))


def word(text: str) -> str:
    return f"`{text}`"


def words(texts: Iterable[str]) -> str:
    return ", ".join(map(word, texts))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
