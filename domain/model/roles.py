"""Who may do what. Everything is denied unless a permission allows it."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.model.errors import DomainError


class Role(StrEnum):
    OWNER = "OWNER"
    STAFF = "STAFF"
    VIEWER = "VIEWER"


class Permission(StrEnum):
    READ = "READ"
    STOCK_READ = "STOCK_READ"
    STOCK_WRITE = "STOCK_WRITE"
    REFLECT = "REFLECT"
    CATALOGUE = "CATALOGUE"
    CLEAR_ERRORS = "CLEAR_ERRORS"
    FILES = "FILES"
    SYNC_SWITCH = "SYNC_SWITCH"
    SHOPS = "SHOPS"
    SETTINGS = "SETTINGS"
    USERS = "USERS"


_VIEWER = frozenset({Permission.READ, Permission.STOCK_READ})
_STAFF = _VIEWER | {
    Permission.STOCK_WRITE,
    Permission.REFLECT,
    Permission.CATALOGUE,
    Permission.CLEAR_ERRORS,
    Permission.FILES,
}
_OWNER = _STAFF | {
    Permission.SYNC_SWITCH,
    Permission.SHOPS,
    Permission.SETTINGS,
    Permission.USERS,
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {Role.VIEWER: _VIEWER, Role.STAFF: _STAFF, Role.OWNER: _OWNER}
)
"""What a person or a token may do by its role. One that has scopes may do those alone."""


def check_covered(given: Collection[Permission], held: Collection[Permission], field: str) -> None:
    """Nobody gives rights that they have not themselves. Raises DomainError EXCEEDS_RIGHTS."""
    beyond = sorted(each.value for each in set(given) - set(held))
    if beyond:
        raise DomainError(
            f"This needs rights that you have not yourself: {', '.join(beyond)}. Ask an owner.",
            code="EXCEEDS_RIGHTS",
            field=(field,),
            rights=beyond,
        )
