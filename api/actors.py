"""Who did something: a person, a token, or the system."""

from datetime import datetime
from typing import Annotated

import strawberry

import api.locales  # noqa: F401 — where the words of Locale stand
from api.fields import described, field
from api.nodes import Node
from domain.model.locales import Locale
from domain.model.roles import Permission, Role

described(
    Role,
    "What a person is here; their rights follow from it.",
    OWNER="契約者: everything.",
    STAFF="担当者: stock, products, links, files and errors.",
    VIEWER="閲覧者: sees.",
)
described(
    Permission,
    "A right. Everything is denied unless one of the viewer's allows it.",
    READ="See everything but settings, people and credentials.",
    STOCK_READ="Partner: sellable numbers by code, and nothing else.",
    STOCK_WRITE="Set, adjust and count totals.",
    REFLECT="反映: send numbers to the malls.",
    CATALOGUE="Products, links, sets, groups and limits.",
    CLEAR_ERRORS="エラー削除: clear errors.",
    FILES="CSV files in and out.",
    SYNC_SWITCH="連動の開始・停止: start and stop what runs by itself.",
    SHOPS="Shops, their settings and credentials.",
    SETTINGS="Settings of the account.",
    USERS="People and tokens.",
)


@strawberry.type(description="担当者: a person of the account.")
class User(Node):
    name: str = field("Their name.")
    role: Role = field("What they are here.")
    email: str | None = field(
        "Their mail address, by which they sign in.", requires=Permission.USERS
    )
    locale: Locale | None = field(
        "The language they read where their browser names none of ours; null: Japanese.",
        requires=Permission.USERS,
    )
    disabled: bool | None = field("They can no longer sign in.", requires=Permission.USERS)
    invited_until: datetime | None = field(
        "Until when their invitation is good; null: none is open.", requires=Permission.USERS
    )
    last_seen_at: datetime | None = field(
        "When they were here last, to the minute.", requires=Permission.USERS
    )


@strawberry.type(description="APIトークン: a program that acts for the account.")
class ApiToken(Node):
    name: str = field("The name it was given.")
    role: Role | None = field(
        "The role whose rights it has; null where it has scopes.", requires=Permission.USERS
    )
    scopes: list[Permission] | None = field(
        "The rights it has; empty where it has a role.", requires=Permission.USERS
    )
    expires_at: datetime | None = field(
        "Until when it is good; null: until it is revoked.", requires=Permission.USERS
    )
    last_used_at: datetime | None = field(
        "When it was used last, to the minute.", requires=Permission.USERS
    )
    revoked_at: datetime | None = field("Since when it is good no more.", requires=Permission.USERS)


@strawberry.type(description="What the system did by itself.")
class SystemActor:
    name: str = field("Its name.")


Actor = Annotated[
    User | ApiToken | SystemActor,
    strawberry.union("Actor", description="Who did something."),
]
