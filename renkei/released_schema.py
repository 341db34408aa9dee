"""The schema as it was released last, kept in a file: what has changed since then, and the next release."""

from datetime import date
from pathlib import Path

from graphql import GraphQLError

from api.evolution import Change, Severity, changes_since
from api.schema import print_sdl
from renkei.refusal import Refusal


def changes(baseline: Path, today: date) -> list[Change]:
    """Raises Refusal where no released schema can be read."""
    try:
        released = baseline.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            f"No released schema can be read from {baseline}. Name its file with --baseline, or keep"
            " today's with --accept."
        ) from error
    try:
        return changes_since(released, print_sdl(), today)
    except (GraphQLError, TypeError) as error:
        raise Refusal(f"{baseline} holds no schema: {error}") from error


def check_breaks_nothing(found: list[Change]) -> None:
    """Raises Refusal."""
    breaking = sum(each.severity is Severity.BREAKING for each in found)
    if breaking:
        raise Refusal(
            f"{breaking} of these would break clients. Keep what was there, deprecate it with the day in"
            " its reason, and remove it half a year later; or release a new version with --accept."
        )


def accept(baseline: Path) -> None:
    """Raises Refusal where it cannot be written."""
    try:
        baseline.write_text(print_sdl(), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{baseline} cannot be written: {error.strerror}.") from error
