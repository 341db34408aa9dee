"""What the schema itself says, for tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import GraphQLEnumType

from api.schema import schema
from api.selection import required
from domain.model.roles import Permission


def descriptions(enum: str) -> Mapping[str, str]:
    """Of the values of an enum."""
    kind = schema()._schema.type_map[enum]
    assert isinstance(kind, GraphQLEnumType)
    return {name: value.description or "" for name, value in kind.values.items()}


def needing(right: Permission) -> list[str]:
    """Fields that need it: those of mutations by their names, others as Type.field."""
    return [_name(kind, name) for kind, name, needed in _fields() if needed is right]


def _name(kind: str, name: str) -> str:
    return name if kind == "Mutation" else f"{kind}.{name}"


def _fields() -> Iterator[tuple[str, str, Permission | None]]:
    for kind in schema()._schema.type_map.values():
        fields: Mapping[str, Any] = getattr(kind, "fields", {})
        for name, field in fields.items():
            if "strawberry-definition" in field.extensions:
                yield kind.name, name, _required(kind, field)


def _required(kind: Any, field: Any) -> Permission | None:
    return required(kind, field) if hasattr(field, "args") else None
