"""Global ids, and the one interface of everything that has one."""

import binascii
from base64 import b64decode, b64encode
from uuid import UUID

import strawberry

from api.fields import field
from domain.model.errors import DomainError
from domain.store.reads import NODES, Ref


class BadId(DomainError):
    code = "BAD_ID"

    def __init__(self, global_id: str) -> None:
        super().__init__(
            f"{global_id[:100]!r} is not an id of this API, or not one of the kind that is asked for here.",
            id=global_id[:100],
        )


@strawberry.interface(description="Whatever can be read again by its id.")
class Node:
    id: strawberry.ID = field("Opaque, and unique across all kinds of nodes.")


def global_id(model: str, row_id: UUID) -> strawberry.ID:
    return strawberry.ID(b64encode(f"{model}:{row_id}".encode()).decode())


def read_id(global_id: str, model: str | None = None) -> Ref:
    """Raises BadId: not an id, or (where `model` is given) not one of that kind."""
    try:
        name, _, row_id = b64decode(global_id, validate=True).decode().partition(":")
        ref = Ref(name, UUID(row_id))
    except (binascii.Error, ValueError) as error:
        raise BadId(global_id) from error
    if name not in NODES or (model is not None and name != model):
        raise BadId(global_id)
    return ref


def kind_of_id(global_id: str) -> str:
    """The model that an id names, "" for what is no id: the part of it that decides a statement."""
    try:
        return read_id(global_id).model
    except BadId:
        return ""
