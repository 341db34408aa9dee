"""Requests that come twice: what tells them apart, and payloads as they are kept for the second.

A kept payload names its nodes by their ids, so that they are answered as they are by then. Secrets are left out of it.
"""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
import strawberry
from strawberry.types.base import StrawberryContainer
from strawberry.types.enum import StrawberryEnumDefinition

from domain.store.reads import Ref

NODE = "@"
KEY = "idempotency_key"
SECRET = "secret"
"""Marks a field that is shown once and never kept."""


def asked_for(input: Any) -> bytes:
    """The same for what is the same, whatever the key it is asked with."""
    asked = {name: value for name, value in written(input).items() if name != KEY}
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)


def written(value: Any) -> Any:
    """As JSON; what was left out stays left out."""
    match value:
        case Ref():
            return {NODE: [value.model, str(value.id)]}
        case list():
            return [written(each) for each in value]
        case Enum():
            return value.value
    if not is_dataclass(value):
        return value
    kept = [each for each in fields(value) if SECRET not in each.metadata]
    given = {each.name: getattr(value, each.name) for each in kept}
    return {name: written(each) for name, each in given.items() if each is not strawberry.UNSET}


def read(kind: Any, value: Any) -> Any:
    """What was written, of this type of the schema."""
    if isinstance(value, list):
        return [read(kind, each) for each in value]
    kind = _plain(kind)
    if isinstance(value, dict):
        return _read_node(value[NODE]) if NODE in value else _read_object(kind, value)
    if isinstance(kind, StrawberryEnumDefinition) and value is not None:
        return kind.wrapped_cls(value)
    return value


def _read_node(named: list[str]) -> Ref:
    model, row_id = named
    return Ref(model, UUID(row_id))


def _read_object(kind: Any, value: dict[str, Any]) -> Any:
    kinds = {each.python_name: each.type for each in kind.__strawberry_definition__.fields}
    return kind(**{name: read(kinds[name], each) for name, each in value.items()})


def _plain(kind: Any) -> Any:
    """Without lists and nullability around it."""
    while isinstance(kind, StrawberryContainer):
        kind = kind.of_type
    return kind
