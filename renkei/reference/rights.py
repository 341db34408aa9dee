"""権限 What each right opens, and who has it by their role."""

from domain.model.roles import PERMISSIONS, Permission, Role
from renkei.reference.markdown import table, word, words
from renkei.reference.schema import descriptions, needing

ROLES = (Role.VIEWER, Role.STAFF, Role.OWNER)
EVERYTHING_ELSE = "every field of `Query` that names no other right, and every subscription"


def rights() -> str:
    told = descriptions("Permission")
    rows = (_row(each, told[each.value]) for each in Permission)
    return table(["Right", *(word(role.value) for role in ROLES), "What for", "Opens"], rows)


def _row(right: Permission, meaning: str) -> list[str]:
    held = ["yes" if right in PERMISSIONS[role] else "" for role in ROLES]
    return [word(right.value), *held, meaning, _opened(right)]


def _opened(right: Permission) -> str:
    return EVERYTHING_ELSE if right is Permission.READ else words(needing(right)) or "nothing yet"
