"""在庫マイナス: why malls sold more of a product than there was, as far as what is kept here can tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.locales import Locale, Words

LATE = timedelta(minutes=10)
"""An order that comes in so long after it was placed is late, however slowly its mall's orders may come."""


class OversellCause(StrEnum):
    RAISED_AT_MALL = "RAISED_AT_MALL"
    SIMULTANEOUS_ORDERS = "SIMULTANEOUS_ORDERS"
    PUSH_LAG = "PUSH_LAG"
    PUSH_FAILED = "PUSH_FAILED"
    LATE_ORDER = "LATE_ORDER"
    RESTORED_TWICE = "RESTORED_TWICE"
    WRONG_LINK = "WRONG_LINK"
    SET_PART = "SET_PART"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Shown:
    """What we believed that the mall's counter read, as of before the order was placed.

    `raised`: a reading or a file said more than we had written.
    """

    quantity: int
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Scarcity:
    """When too little was left for the order, and what had taken the rest: it was `known_at` here from then on.

    `elsewhere`: an order on another listing. `as_part`: that took it as a part of a set.
    """

    known_at: datetime
    elsewhere: bool
    as_part: bool = False


@dataclass(frozen=True, slots=True)
class Crossing:
    """The order that took a total below zero.

    `sold`: items of its listing, with what came in together with it. `scarce`: None where there was never enough.
    `push_failed`: a lower number was to go to its listing in time, and failed. `restored_twice`: what a cancel had given
    back was given back by hand once more. `linked_late`: it had waited for its listing to be linked.
    """

    placed_at: datetime
    known_at: datetime
    sold: int
    shown: Shown | None = None
    scarce: Scarcity | None = None
    as_part: bool = False
    push_failed: bool = False
    restored_twice: bool = False
    linked_late: bool = False


def cause(crossing: Crossing) -> OversellCause:
    """What is proven comes before what is likely."""
    shown, scarce = crossing.shown, crossing.scarce
    if crossing.linked_late:
        return OversellCause.WRONG_LINK
    if shown is not None and (shown.raised or crossing.sold > shown.quantity):
        return OversellCause.RAISED_AT_MALL
    if crossing.restored_twice:
        return OversellCause.RESTORED_TWICE
    if scarce is not None and crossing.placed_at > scarce.known_at:
        return OversellCause.PUSH_FAILED if crossing.push_failed else OversellCause.PUSH_LAG
    if crossing.known_at - crossing.placed_at > LATE:
        return OversellCause.LATE_ORDER
    if scarce is None or not scarce.elsewhere:
        return OversellCause.UNKNOWN
    either = crossing.as_part or scarce.as_part
    return OversellCause.SET_PART if either else OversellCause.SIMULTANEOUS_ORDERS


TEXTS = {
    OversellCause.RAISED_AT_MALL: Words(
        "{shop}の在庫がモール側で増やされ、当システムが反映した数より多く売れました（不足{units}）。",
        "At {shop} the stock was raised at the mall, and it sold more than was sent there ({units} short).",
    ),
    OversellCause.SIMULTANEOUS_ORDERS: Words(
        "最後の在庫が{other}で売れ、それが届く前に{shop}でも売れました（不足{units}）。",
        "{other} sold the last units, and {shop} sold them too before that was known here ({units} short).",
    ),
    OversellCause.PUSH_LAG: Words(
        "在庫減少が{shop}に表示される前に注文が入りました（不足{units}）。",
        "{shop} sold before it showed the lower number that was on its way ({units} short).",
    ),
    OversellCause.PUSH_FAILED: Words(
        "{shop}への在庫反映に失敗している間に注文が入りました（不足{units}）。",
        "{shop} sold while the lower number could not be written there ({units} short).",
    ),
    OversellCause.LATE_ORDER: Words(
        "{shop}の注文が遅れて届き、その間に在庫がなくなりました（不足{units}）。",
        "An order of {shop} came in late, and the units were gone meanwhile ({units} short).",
    ),
    OversellCause.RESTORED_TWICE: Words(
        "キャンセルで戻った在庫が手作業でもう一度戻されていました（不足{units}）。",
        "What a cancel had given back was added by hand once more ({units} short).",
    ),
    OversellCause.WRONG_LINK: Words(
        "{shop}の出品が販売後に紐づけられ、その注文が差し引かれました（不足{units}）。",
        "A listing of {shop} was linked after it had sold, and its orders were taken off then ({units} short).",
    ),
    OversellCause.SET_PART: Words(
        "同じ商品がセットの構成品としても同時に売れました: {shop}（不足{units}）。",
        "It sold at the same time as a part of a set: {shop} ({units} short).",
    ),
    OversellCause.UNKNOWN: Words(
        "{shop}の注文で在庫がマイナスになりました。原因は記録から判断できません（不足{units}）。",
        "An order of {shop} took the total below zero; the records do not say why ({units} short).",
    ),
}


def text(why: OversellCause, shop: str, other: str | None, units: int, locale: Locale) -> str:
    """`shop`: of the order that took the total below zero; `other`: of the sale before it."""
    elsewhere = other or Words("別の注文", "Another order").of(locale)
    return TEXTS[why].of(locale).format(shop=shop, other=elsewhere, units=units)
