"""選択 What many things are meant by: ticked rows, or all that a filter finds (DESIGN §5)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.model.errors import DomainError
from domain.model.stock import check_units
from domain.store import selections
from domain.store.database import Tx
from domain.store.reads import Arguments

MOST_TARGETS = 200_000


@dataclass(frozen=True, slots=True)
class Matching:
    """All that `filter` finds but these. `expected`: how many the screen said that would be."""

    filter: Arguments
    but: tuple[UUID, ...]
    expected: int


Selection = Sequence[UUID] | Matching
"""Ids as they were ticked, sound or not; or what a filter finds."""


async def product_ids(tx: Tx, selection: Selection) -> list[UUID]:
    """As they were ticked; what a filter finds by id. Raises DomainError SELECTION_GREW, TOO_MANY or INVALID_VALUE."""
    return await _ids(tx, selection, selections.products)


async def listing_ids(tx: Tx, selection: Selection) -> list[UUID]:
    """As they were ticked; what a filter finds by id. Raises DomainError SELECTION_GREW, TOO_MANY or INVALID_VALUE."""
    return await _ids(tx, selection, selections.listings)


async def _ids(
    tx: Tx, selection: Selection, find: Callable[..., Awaitable[list[UUID]]]
) -> list[UUID]:
    if not isinstance(selection, Matching):
        return list(selection)
    check_units(selection.expected, "expected_count")
    ids = await find(tx, selection.filter, but=selection.but, at_most=MOST_TARGETS + 1)
    if len(ids) > MOST_TARGETS:
        raise _too_many()
    if len(ids) > selection.expected:
        raise _grew(selection.expected, len(ids))
    return ids


def _grew(expected: int, now: int) -> DomainError:
    return DomainError(
        f"{now} are hit by now, where {expected} were expected. Look at the list again.",
        code="SELECTION_GREW",
        field=("expected_count",),
        expected=expected,
        now=now,
    )


def _too_many() -> DomainError:
    return DomainError(
        f"A selection holds at most {MOST_TARGETS}. Narrow its filter.",
        code="TOO_MANY",
        field=("filter",),
        most=MOST_TARGETS,
    )
