"""Who did something: a person, a token, or the system itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class ActorKind(StrEnum):
    USER = "USER"
    TOKEN = "TOKEN"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is kept beside the id, so that a log still says who when the user is gone."""

    kind: ActorKind
    name: str
    id: UUID | None = None

    def as_json(self) -> Mapping[str, Any]:
        return {"kind": self.kind.value, "name": self.name, "id": str(self.id) if self.id else None}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Actor":
        """As `as_json` wrote it."""
        row_id = kept["id"]
        return cls(ActorKind(kept["kind"]), kept["name"], UUID(row_id) if row_id else None)


SYSTEM = Actor(ActorKind.SYSTEM, "Renkei")
