"""在庫マイナス What malls sold and nobody has."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.fields import described, field, planned
from api.locales import LOCALE, chosen
from api.nodes import Node
from api.orders import OrderLine
from api.oversell_moments import OversellMoment
from api.products import Product
from domain.model import oversells
from domain.model.locales import Locale
from domain.model.oversells import OversellCause

described(
    OversellCause,
    "Why a mall could sell what there was not, as far as ledger, pushes and readings can tell.",
    RAISED_AT_MALL="The stock was raised at the mall: it sold more than was sent there.",
    SIMULTANEOUS_ORDERS="Another mall sold the last units, and this one did before that was known here.",
    PUSH_LAG="The lower number was known here, and not shown at the mall yet.",
    PUSH_FAILED="The lower number could not be written in time.",
    LATE_ORDER="The order came in more than ten minutes after it was placed.",
    RESTORED_TWICE="What a cancel had given back was given back by hand once more.",
    WRONG_LINK="The listing was not linked to the product when it sold.",
    SET_PART="At the same time it sold by itself and as a part of a set.",
    UNKNOWN="The records do not tell.",
)


def _text(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    cause, shop, other, units = facts
    why = OversellCause(cause)
    return oversells.text(why, shop or "", other, units, chosen(arguments, locale))


@strawberry.type(
    description="在庫マイナス: an order took a total below zero. A product has one open incident at most."
)
class OversellIncident(Node):
    product: Product = field("Of what too much was sold.")
    opened_at: datetime = field("When the order came in that took the total below zero.")
    closed_at: datetime | None = field("When the total was zero or above again; null: it is not.")
    units: int = field("不足数: how far below zero the total went at most.")
    cause: OversellCause = field("Why, of the order that opened it.")
    text = planned(str, "Why, as a sentence.", LOCALE, made_by=_text)
    timeline: list[OversellMoment] = field(
        "経緯: what led to it and what came of it, in order: 50 moments at most. It begins when enough was held for the "
        "last time.",
        cost=5,
    )
    unserved_lines: list[OrderLine] = field(
        "While it is open: the lines that cannot be served, latest order first, until they hold what is missing. Of "
        "the newest 500 orders of the product.",
        cost=5,
    )
