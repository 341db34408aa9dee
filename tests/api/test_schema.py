"""The schema as clients see it: printed, described, nullable where it must be, and backed by read models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_non_null_type,
    is_required_argument,
    is_specified_scalar_type,
    parse,
    validate,
)
from graphql.pyutils import camel_to_snake

from api.fields import MADE_BY, PLANNED
from api.plan import Planner
from api.schema import print_sdl, resolved, schema
from api.selection import metadata_of, required
from domain.store.reads import MODELS
from tests.api.conftest import Asker

PRINTED = Path(__file__).parents[2] / "schema.graphql"


def kinds() -> Iterator[GraphQLNamedType]:
    for kind in schema()._schema.type_map.values():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield kind


def fields() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for kind in kinds():
        if isinstance(kind, GraphQLObjectType):
            yield from ((kind, name, each) for name, each in kind.fields.items())


def test_the_printed_schema_is_the_schema() -> None:
    assert PRINTED.read_text() == print_sdl(), "run: renkei schema print > schema.graphql"


def test_everything_is_described() -> None:
    without = []
    for kind in kinds():
        without += [kind.name] if not kind.description else []
        if isinstance(kind, GraphQLEnumType):
            without += [f"{kind.name}.{n}" for n, v in kind.values.items() if not v.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, each in kind.fields.items():
                without += [f"{kind.name}.{name}"] if not each.description else []
                for argument, given in getattr(each, "args", {}).items():
                    without += [] if given.description else [f"{kind.name}.{name}({argument})"]
    assert without == []


def test_a_field_that_can_be_refused_is_nullable() -> None:
    refusable = [
        f"{kind.name}.{name}"
        for kind, name, each in fields()
        if kind.name != "Subscription"
        and required(kind, each) is not None
        and is_non_null_type(each.type)
    ]
    assert refusable == []


def test_what_changes_something_without_naming_a_right_is_no_part_of_a_schema() -> None:
    @strawberry.type
    class Query:
        name: str

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def wipe(self) -> str:
            return "gone"

    with pytest.raises(TypeError, match=r"Mutation\.wipe names no right"):
        resolved(strawberry.Schema(Query, Mutation))


def test_every_planned_field_has_its_read_model() -> None:
    missing = [
        f"{kind.name}.{name}"
        for kind, name, each in fields()
        if kind.name in MODELS
        and PLANNED in metadata_of(each)
        and name != "id"
        and camel_to_snake(name) not in MODELS[kind.name].parts
    ]
    assert missing == []


async def test_every_field_of_every_node_can_be_read(asker: Asker, planner: Planner) -> None:
    """One operation a field of Query, down to leaves three levels below it."""
    query = planner.schema.query_type
    assert query is not None
    for name, each in query.fields.items():
        if PLANNED not in metadata_of(each) or any(map(is_required_argument, each.args.values())):
            continue
        source = f"{{ {name} {whole(each, 3)} }}"
        if validate(planner.schema, parse(source)) == []:
            assert (await asker.ask(source)).keys() == {name}


def whole(definition: GraphQLField, depth: int) -> str:
    """Every field below this one that needs no argument."""
    kind = get_named_type(definition.type)
    if is_leaf_type(kind) or not isinstance(kind, GraphQLObjectType):
        return "" if is_leaf_type(kind) else "{ __typename }"
    below = [
        f"{name} {whole(each, depth - 1)}"
        for name, each in kind.fields.items()
        if not any(map(is_required_argument, each.args.values()))
        and (depth > 0 or is_leaf_type(get_named_type(each.type)))
        and (PLANNED in metadata_of(each) and MADE_BY in metadata_of(each))
    ]
    return "{ __typename " + " ".join(below) + " }"
