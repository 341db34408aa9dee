"""在庫マイナスの経緯 What led to a total below zero, moment by moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.fields import described, field, planned
from api.listings import Listing
from api.locales import LOCALE, chosen
from api.orders import Order
from api.shops import Shop
from domain.model import oversell_moments
from domain.model.locales import Locale
from domain.model.oversell_moments import MomentKind

described(
    MomentKind,
    "What happened at a moment of an oversell.",
    name="OversellMomentKind",
    ENOUGH_HELD="So many were held for the last time as the order wanted that took the total below zero.",
    ORDER_PLACED="A mall sold some.",
    ORDER_SEEN="The order came in here, and was taken off the total.",
    TOTAL_CHANGED="The total was changed otherwise: by hand, a count, a file, a cancel, or to follow a mall.",
    OVERSOLD="The order came in that took the total below zero.",
    NUMBER_SENT="A number was sent to the listing that sold.",
    NUMBER_SHOWN="That number stood at the mall.",
    NUMBER_FAILED="That number was not taken.",
    RECOVERED="The total was zero or above again.",
)


def _text(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    kind, shop, units, total = facts
    told = chosen(arguments, locale)
    return oversell_moments.text(MomentKind(kind), shop, units, total, told)


@strawberry.type(description="在庫マイナスの経緯: a moment of what led to a total below zero.")
class OversellMoment:
    at: datetime = field("When: of a sale the mall's own time, of all else ours.")
    kind: MomentKind = field("What happened.")
    shop: Shop | None = field("At which shop; null: here.")
    listing: Listing | None = field("To which listing a number was sent.")
    order: Order | None = field("Whose sale it was.")
    units: int | None = field("How many were sold or changed, or the number that was sent.")
    total: int | None = field("総在庫数 after it, where it changed.")
    text = planned(str, "What happened, as a sentence.", LOCALE, made_by=_text)
