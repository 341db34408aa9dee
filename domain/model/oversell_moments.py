"""在庫マイナスの経緯: the moments that led to a total below zero, each as a sentence."""

from enum import StrEnum

from domain.model.locales import Locale, Words


class MomentKind(StrEnum):
    ENOUGH_HELD = "ENOUGH_HELD"
    ORDER_PLACED = "ORDER_PLACED"
    ORDER_SEEN = "ORDER_SEEN"
    TOTAL_CHANGED = "TOTAL_CHANGED"
    OVERSOLD = "OVERSOLD"
    NUMBER_SENT = "NUMBER_SENT"
    NUMBER_SHOWN = "NUMBER_SHOWN"
    NUMBER_FAILED = "NUMBER_FAILED"
    RECOVERED = "RECOVERED"


TEXTS = {
    MomentKind.ENOUGH_HELD: Words("在庫は{total}でした。", "The total was {total}: enough."),
    MomentKind.ORDER_PLACED: Words("{shop}で{units}売れました。", "{shop} sold {units}."),
    MomentKind.ORDER_SEEN: Words(
        "{shop}の注文を取り込み、在庫は{total}になりました。",
        "The order of {shop} came in: the total was {total}.",
    ),
    MomentKind.TOTAL_CHANGED: Words(
        "在庫が{total}に変わりました。", "The total was changed to {total}."
    ),
    MomentKind.OVERSOLD: Words(
        "{shop}の注文を取り込み、在庫がマイナスになりました（{total}）。",
        "The order of {shop} came in and took the total below zero ({total}).",
    ),
    MomentKind.NUMBER_SENT: Words(
        "{shop}へ在庫数{units}を送信しました。", "{units} was sent to {shop}."
    ),
    MomentKind.NUMBER_SHOWN: Words(
        "{shop}の在庫数が{units}になりました。", "{shop} showed {units}."
    ),
    MomentKind.NUMBER_FAILED: Words(
        "{shop}への在庫数{units}の反映に失敗しました。", "{shop} did not take the {units}."
    ),
    MomentKind.RECOVERED: Words(
        "在庫マイナスが解消しました。", "The total was zero or above again."
    ),
}


def text(
    kind: MomentKind, shop: str | None, units: int | None, total: int | None, locale: Locale
) -> str:
    """`shop`: where it happened, null where it did here."""
    return TEXTS[kind].of(locale).format(shop=shop or "", units=units, total=total)
