"""How planned fields are declared: type, words, arguments, the right they need. The planner does the rest.

Such a field has no resolver of its own. Its name in snake_case is a part of the read model of the same name as its type
(domain/store/reads), so a new field costs one line here and one there.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.schema_directive import Location

from domain.model.locales import Locale
from domain.model.roles import Permission

Maker = Callable[[Any, Mapping[str, Any], Locale], Any]
"""(facts, arguments, language) to the value, for what PostgreSQL cannot say.

`facts`: those of the read model's part, in its order, as JSON; below such a field, the object it answered.
"""

PLANNED = "planned"
MADE_BY = "made_by"
AnyEnum = TypeVar("AnyEnum", bound=type[Enum])


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The right that a field needs. A field that can be refused is nullable.",
)
class Requires:
    permission: Permission


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description=(
        "What a field adds to the cost of an operation for every object that it stands in. Beside these weights each "
        "object of an answer costs 1, times the rows of its pages, and each mutation or subscription 10. "
        "`extensions.cost` tells what an operation cost and what is left."
    ),
)
class Cost:
    weight: int


def field(
    description: str,
    *,
    made_by: Maker | None = None,
    requires: Permission | None = None,
    cost: int = 0,
) -> Any:
    """A planned field without arguments; its annotation is its type. `cost`: see `Cost`."""
    return strawberry.field(
        description=description,
        metadata={PLANNED: True, MADE_BY: made_by},
        directives=_directives(requires, cost or (made_by is not None)),
    )


def planned(
    kind: Any,
    description: str,
    arguments: Mapping[str, Parameter],
    *,
    made_by: Maker | None = None,
    requires: Permission | None = None,
    cost: int = 0,
) -> Any:
    """A planned field with arguments (see `argument`); `kind` is its type. `cost`: see `Cost`."""
    return strawberry.field(
        resolver=_signature_only(kind, arguments),
        description=description,
        metadata={PLANNED: True, MADE_BY: made_by},
        directives=_directives(requires, cost or (made_by is not None)),
    )


def argument(kind: Any, description: str, default: Any = strawberry.UNSET) -> Parameter:
    annotation = Annotated[kind, strawberry.argument(description=description)]
    return Parameter("_", Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def optional(description: str) -> Any:
    """A field of an input that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def described(
    kind: AnyEnum, description: str, *, name: str | None = None, **values: str
) -> AnyEnum:
    """An enum of the domain in the schema, every value with its words. Raises KeyError for one without."""
    strawberry.enum(kind, name=name, description=description)
    for value in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return kind


def _directives(requires: Permission | None, cost: int) -> tuple[Requires | Cost, ...]:
    """What Python makes of a row weighs 1 where nothing else is said."""
    rights = () if requires is None else (Requires(permission=requires),)
    return (*rights, Cost(weight=int(cost))) if cost else rights


def _signature_only(kind: Any, arguments: Mapping[str, Parameter]) -> Callable[[], Any]:
    """What Strawberry reads a field's arguments and type from. The schema puts the real resolver in its place."""

    def unresolved() -> Any:
        raise NotImplementedError("a planned field is not resolved by itself")

    named = [parameter.replace(name=name) for name, parameter in arguments.items()]
    unresolved.__signature__ = Signature(named, return_annotation=kind)  # type: ignore[attr-defined]
    unresolved.__annotations__ = {each.name: each.annotation for each in named} | {"return": kind}
    return unresolved
