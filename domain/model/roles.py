"""Who may do what. Everything is denied unless a permission allows it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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
