"""契約 The account, and who is asking."""

import strawberry

from api.fields import described, field
from api.nodes import Node
from domain.model.locales import Locale
from domain.model.roles import Permission

described(Locale, "A language in which merchants read.", JA="日本語", EN="English")
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


@strawberry.type(description="契約: one merchant company; everything belongs to one.")
class Account(Node):
    code: str = field("Its code at sign-in.")
    name: str = field("The company's name.")
    time_zone: str = field("The zone of its schedules and days.")
    sync_running: bool = field("在庫連動: the master switch.")
    version: int = field("Rises with every change of its settings.")


@strawberry.type(description="Who is asking, and what they may do.")
class Viewer:
    account: Account = field("The account they act for.")
    permissions: list[Permission] = field("What they may do.")
    locale: Locale = field("The language of sentences made for them.")
