"""Selections of inputs: ticked rows, or all that a list's filter finds; and what was refused of them, at its place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from strawberry import ID
from strawberry.types.base import StrawberryContainer
from strawberry.utils.str_converters import to_camel_case

from api.context import Context
from api.mutations.edge import at, check_count, row_id, row_ids, said
from api.nodes import global_id
from api.selection import check_text, model_of_argument
from api.user_errors import ErrorParam, UserError, user_error
from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE
from domain.model.locales import Locale
from domain.services import bulk, selections
from domain.services.edits import Refused
from domain.services.selections import Matching, Selection
from domain.store.database import Tx
from domain.store.reads import Arguments

MOST_EXCEPTED = 1_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The targets of a mutation. `path`: where its input names them, one by one if `named`."""

    model: str
    ids: Sequence[UUID]
    path: tuple[str, ...]
    named: bool

    @property
    def at_once(self) -> bool:
        """So few that they are answered at once; more become a job."""
        return len(self.ids) <= AT_ONCE

    @property
    def meant(self) -> Sequence[UUID] | None:
        """None where nothing is named; a filter that finds nothing is meant all the same."""
        return None if self.named and not self.ids else self.ids

    def version_of_many(self) -> DomainError:
        """One version cannot be that of all of them."""
        return DomainError(
            f"expectedVersion goes with at most {AT_ONCE} rows: leave it out.",
            field=("expected_version",),
            most=AT_ONCE,
            count=len(self.ids),
        )

    def refusals(self, refused: Iterable[Refused], locale: Locale) -> list[UserError]:
        """Of ticked rows at their places; of those that a filter found with the `id` among the parameters."""
        return [self._refusal(each, locale) for each in refused]

    def _refusal(self, refused: Refused, locale: Locale) -> UserError:
        if self.named:
            place = str(self.ids.index(refused.target_id))
            return user_error(at(refused.error, *self.path, "ids", place), locale)
        shown = user_error(at(refused.error, *self.path, "matching"), locale)
        shown.params.append(ErrorParam(name="id", value=global_id(self.model, refused.target_id)))
        return shown


async def chosen(tx: Tx, selection: Any, model: str, *field: str) -> Chosen:
    """The rows of a selection (none where it was left out), `model` being Product or Listing.

    Raises DomainError NOT_FOUND, TOO_MANY, SELECTION_GREW or INVALID_VALUE.
    """
    asked = said(selection)
    if asked is None:
        return Chosen(model, (), field, named=True)
    matching = said(asked.matching)
    if matching is None:
        ids = row_ids(asked.ids, model, *field, "ids")
        return Chosen(model, await _resolved(tx, model, ids), field, named=True)
    return Chosen(model, await _matching(tx, matching, model, *field, "matching"), field, False)


async def begin(
    tx: Tx,
    context: Context,
    action: str,
    asked: Chosen,
    arguments: Mapping[str, Any] = bulk.NO_ARGUMENTS,
) -> UUID:
    """The job that does to all of them what is asked for."""
    return await bulk.begin(
        tx, context.viewer.actor, action, asked.ids, arguments, now=context.now()
    )


async def _matching(tx: Tx, matching: Any, model: str, *path: str) -> list[UUID]:
    meant = Matching(
        arguments(matching.filter, *path, "filter"),
        tuple(_excepted(said(matching.except_) or (), model, *path, "except")),
        matching.expected_count,
    )
    try:
        return await _resolved(tx, model, meant)
    except DomainError as error:
        raise at(error, *path, *error.field) from error


async def _resolved(tx: Tx, model: str, selection: Selection) -> list[UUID]:
    find = selections.product_ids if model == "Product" else selections.listing_ids
    return await find(tx, selection)


def _excepted(asked: Sequence[ID], model: str, *path: str) -> list[UUID]:
    check_count(asked, *path, most=MOST_EXCEPTED)
    return [row_id(each, model, *path, str(place)) for place, each in enumerate(asked)]


def arguments(asked: Any, *path: str) -> Arguments:
    """A filter's input as the read models take it. Raises DomainError NOT_FOUND, TOO_MANY or INVALID_VALUE."""
    kinds: Mapping[str, Any] = {
        each.python_name: each.type for each in asked.__strawberry_definition__.fields
    }
    values = {name: said(getattr(asked, name)) for name in kinds}
    return {
        name: _argument(name, kinds[name], value, (*path, name))
        for name, value in values.items()
        if value is not None
    }


def _argument(name: str, kind: Any, value: Any, path: tuple[str, ...]) -> Any:
    while isinstance(kind, StrawberryContainer):
        kind = kind.of_type
    match value:
        case list() if kind is ID:
            return row_ids(value, model_of_argument(to_camel_case(name)) or "", *path)
        case list():
            check_count(value, *path)
            return [_leaf(name, each, path) for each in value]
    if hasattr(kind, "__strawberry_definition__"):
        return arguments(value, *path)
    return _leaf(name, value, path)


def _leaf(name: str, value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        try:
            check_text(name, value)
        except DomainError as error:
            raise at(error, *path) from error
    return value
