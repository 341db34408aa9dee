"""What goes wrong between us and a mall, as a merchant reads it: level, kind, sentence and advice.

Level 8 goes on and closes by itself; level 9 halts its shop. One cause is one error with a count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.locales import Locale
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind


class Level(StrEnum):
    LEVEL_8 = "LEVEL_8"
    LEVEL_9 = "LEVEL_9"

    @property
    def number(self) -> int:
        """As it is kept, and as merchants say it."""
        return int(self.value[-1])


class Part(StrEnum):
    """Of what passes between us and a mall: each closes its own errors, and not the other's."""

    ORDERS = "ORDERS"
    STOCK = "STOCK"
    CREDENTIALS = "CREDENTIALS"


class ErrorState(StrEnum):
    """RESOLVED: its cause is gone, and it stays visible until cleared."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    CLEARED = "CLEARED"


class SyncErrorKind(StrEnum):
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    CREDENTIALS_EXPIRED = "CREDENTIALS_EXPIRED"
    CONSENT_NEEDED = "CONSENT_NEEDED"
    MAINTENANCE = "MAINTENANCE"
    THROTTLED = "THROTTLED"
    UNREACHABLE = "UNREACHABLE"
    ANSWER_UNREADABLE = "ANSWER_UNREADABLE"
    ITEM_REFUSED = "ITEM_REFUSED"
    UNKNOWN_AT_MALL = "UNKNOWN_AT_MALL"
    MULTIPLE_LISTINGS = "MULTIPLE_LISTINGS"
    NOT_APPLIED = "NOT_APPLIED"
    FEED_FAILED = "FEED_FAILED"
    ORDER_UNREADABLE = "ORDER_UNREADABLE"
    ORDER_UNLINKED = "ORDER_UNLINKED"
    FILE_REJECTED = "FILE_REJECTED"


OUR_PACE = timedelta(minutes=5)

BY_MALL_CODE = frozenset(
    {
        SyncErrorKind.ITEM_REFUSED,
        SyncErrorKind.ANSWER_UNREADABLE,
        SyncErrorKind.ORDER_UNREADABLE,
        SyncErrorKind.FILE_REJECTED,
    }
)
"""Kinds whose cause is told apart by the mall's own code; of the others a shop has one at a time."""


def classify(error: MallError) -> tuple[Level, SyncErrorKind]:
    match error:
        case MallLockedOut(consent=True):
            return Level.LEVEL_9, SyncErrorKind.CONSENT_NEEDED
        case MallLockedOut():
            return Level.LEVEL_9, SyncErrorKind.CREDENTIALS_REFUSED
        case MallThrottled():
            return Level.LEVEL_8, SyncErrorKind.THROTTLED
        case MallUnavailable(maintenance=True):
            return Level.LEVEL_8, SyncErrorKind.MAINTENANCE
        case MallRefused():
            return Level.LEVEL_8, SyncErrorKind.ITEM_REFUSED
        case MallMalformed():
            return Level.LEVEL_8, SyncErrorKind.ANSWER_UNREADABLE
        case _:
            return Level.LEVEL_8, SyncErrorKind.UNREACHABLE


def is_worth_telling(error: MallError) -> bool:
    """Pacing ourselves for a moment is no error; a limit that is used up for longer is."""
    if not isinstance(error, MallThrottled) or not error.by_us:
        return True
    return error.retry_after is None or error.retry_after > OUR_PACE


def group_key(
    kind: SyncErrorKind, shop: UUID | None, mall_code: str = "", part: Part | None = None
) -> str:
    """Errors of the same key are one error."""
    cause = mall_code if kind in BY_MALL_CODE else ""
    of_part = f":{part.value}" if part else ""
    return f"{kind.value}:{shop or ''}:{cause}{of_part}"


def message(kind: SyncErrorKind, params: Mapping[str, object], locale: Locale) -> str:
    """One sentence. `params`: `shop` (its name), `count` (items, orders or files hit), `days` (left until it lapses)."""
    return _sentence(kind, params)[locale].format_map(_Given(params))


def advice(kind: SyncErrorKind, mall: MallKind | None, locale: Locale) -> list[str]:
    """What to do, in order."""
    name = mall_name(mall, locale)
    return [step.format(mall=name) for step in _TEXTS[kind].advice[locale]]


def _sentence(kind: SyncErrorKind, params: Mapping[str, object]) -> Mapping[Locale, str]:
    lapses = params.get("days")
    return _SOON[kind] if isinstance(lapses, int) and lapses > 0 else _TEXTS[kind].message


class _Given(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def mall_name(mall: MallKind | None, locale: Locale) -> str:
    """As a merchant calls it, also where it is not said which mall is meant."""
    if mall is None:
        return "モール" if locale is Locale.JA else "the mall"
    spec = MALL_SPECS[mall]
    return spec.name_ja if locale is Locale.JA else spec.name_en


@dataclass(frozen=True, slots=True)
class _Text:
    message: Mapping[Locale, str]
    advice: Mapping[Locale, tuple[str, ...]]


def _text(ja: str, en: str, *, do_ja: tuple[str, ...] = (), do_en: tuple[str, ...] = ()) -> _Text:
    return _Text({Locale.JA: ja, Locale.EN: en}, {Locale.JA: do_ja, Locale.EN: do_en})


_WAIT_JA = "在庫は自動で再送されます。操作は不要です。"
_WAIT_EN = "Nothing to do: what waits is sent by itself."
_CLEAR_JA = "接続テストがOKになったら、このエラーを削除して連携を再開してください。"
_CLEAR_EN = "Once the connection test is OK, clear this error to resume the shop."

_TEXTS: Mapping[SyncErrorKind, _Text] = MappingProxyType(
    {
        SyncErrorKind.CREDENTIALS_REFUSED: _text(
            "{shop}：モールが認証情報を受け付けないため、この店舗の連携を停止しています。",
            "{shop}: the mall refuses the credentials, so this shop is halted.",
            do_ja=(
                "{mall}の管理画面で、APIキーの有効期限と権限を確認し、必要なら更新してください。",
                "新しい認証情報を店舗設定に入力してください。接続テストが自動で始まります。",
                _CLEAR_JA,
            ),
            do_en=(
                "In the admin screen of {mall}, look at the API key's expiry and rights; renew it if need be.",
                "Enter the new credentials in the shop's settings. The connection test starts by itself.",
                _CLEAR_EN,
            ),
        ),
        SyncErrorKind.CREDENTIALS_EXPIRED: _text(
            "{shop}：認証情報の有効期限が切れました。",
            "{shop}: the credentials have expired.",
            do_ja=(
                "{mall}の管理画面でAPIキーを更新してください。",
                "新しいキーを店舗設定に入力してください。接続テストが自動で始まります。",
                "店舗が停止している場合は、接続テストがOKになったらこのエラーを削除してください。",
            ),
            do_en=(
                "Renew the API key in the admin screen of {mall}.",
                "Enter the new key in the shop's settings. The connection test starts by itself.",
                "If the shop is halted, clear this error once the connection test is OK.",
            ),
        ),
        SyncErrorKind.CONSENT_NEEDED: _text(
            "{shop}：モールでの利用許可（認可）が切れているか、まだ行われていません。",
            "{shop}: the consent at the mall has lapsed or was not given yet.",
            do_ja=(
                "店舗設定の「再認可」を押し、{mall}の画面でログインして許可してください。",
                "戻ったあと、接続テストが自動で始まります。",
                "店舗が停止している場合は、接続テストがOKになったらこのエラーを削除してください。",
            ),
            do_en=(
                "Press “Consent again” in the shop's settings, sign in at {mall} and allow the access.",
                "After you come back the connection test starts by itself.",
                "If the shop is halted, clear this error once the connection test is OK.",
            ),
        ),
        SyncErrorKind.MAINTENANCE: _text(
            "{shop}：モールがメンテナンス中です。",
            "{shop}: the mall is under maintenance.",
            do_ja=(_WAIT_JA, "長く続く場合は{mall}のお知らせを確認してください。"),
            do_en=(_WAIT_EN, "If it lasts, look at the notices of {mall}."),
        ),
        SyncErrorKind.THROTTLED: _text(
            "{shop}：モールの呼び出し回数の上限に達したため、送信を待っています。",
            "{shop}: the mall's limit on calls is reached; sending waits.",
            do_ja=(
                _WAIT_JA,
                "続く場合は、同じ{mall}店舗につながっている他のツールを止めるか、反映間隔を長くしてください。",
            ),
            do_en=(
                _WAIT_EN,
                "If it goes on, stop other tools on the same {mall} shop or lengthen the reflect interval.",
            ),
        ),
        SyncErrorKind.UNREACHABLE: _text(
            "{shop}：モールに接続できないか、応答がありません。",
            "{shop}: the mall cannot be reached or does not answer.",
            do_ja=(
                _WAIT_JA,
                "{mall}のお知らせを確認し、障害がなければ店舗設定の接続先を確認してください。",
            ),
            do_en=(
                _WAIT_EN,
                "Look at the notices of {mall}; if there is no trouble, check the addresses in the shop's settings.",
            ),
        ),
        SyncErrorKind.ANSWER_UNREADABLE: _text(
            "{shop}：モールの応答が仕様と異なり、読み取れませんでした。",
            "{shop}: the mall's answer is not what it documents and could not be read.",
            do_ja=(
                "送信は自動で再試行されます。",
                "続く場合は、{mall}の仕様変更が考えられます。このエラーの内容をサポートにお知らせください。",
            ),
            do_en=(
                "Sending is tried again by itself.",
                "If it goes on, {mall} may have changed its interface: tell support what this error says.",
            ),
        ),
        SyncErrorKind.ITEM_REFUSED: _text(
            "{shop}：{count}件の商品の在庫をモールが受け付けませんでした。他の商品は更新されています。",
            "{shop}: the mall refused the stock of {count} items. The others are updated.",
            do_ja=(
                "モールのメッセージを確認してください。",
                "{mall}の管理画面で商品の状態（削除、販売期間、在庫設定）を直してください。",
                "そのあと商品を反映してください。自動でも再試行されます。",
            ),
            do_en=(
                "Read the mall's message.",
                "Put the item right at {mall} (deleted, sales period, stock settings).",
                "Then reflect it. It is also tried again by itself.",
            ),
        ),
        SyncErrorKind.UNKNOWN_AT_MALL: _text(
            "{shop}：{count}件の商品コードがモールに見つかりません。",
            "{shop}: the mall does not know {count} item codes.",
            do_ja=(
                "{mall}の商品コードとこちらのコードを見比べてください。",
                "コードを直すか、コード変換表に登録してください。",
                "モールで削除した商品は、紐づけを解除してください。",
            ),
            do_en=(
                "Compare the item code at {mall} with ours.",
                "Mend the code, or enter it in the code table.",
                "Unlink what was deleted at the mall.",
            ),
        ),
        SyncErrorKind.MULTIPLE_LISTINGS: _text(
            "{shop}：1つの商品に、この店舗の商品が複数紐づいています（{count}件）。",
            "{shop}: several listings of this shop are linked to one product ({count} products).",
            do_ja=(
                "正しい商品だけを残し、他の紐づけを解除してください。",
                "同じ商品のページを{mall}に複数出している場合は、「コピーページ」として紐づけてください。",
                "それまで、これらの在庫数は増やさず、減る分だけを反映します。",
            ),
            do_en=(
                "Keep the right listing and unlink the others.",
                "If {mall} shows the same goods on several pages on purpose, link them as copy pages.",
                "Until then their numbers are never raised; every fall goes out.",
            ),
        ),
        SyncErrorKind.NOT_APPLIED: _text(
            "{shop}：モールが受け付けた在庫数が、{count}件の商品で反映されていません。",
            "{shop}: the mall accepted numbers that {count} items do not show.",
            do_ja=(
                "自動で再送されます。",
                "続く場合は{mall}の管理画面で商品の在庫設定を確認してください。",
            ),
            do_en=(
                "They are sent again by themselves.",
                "If it goes on, look at the items' stock settings at {mall}.",
            ),
        ),
        SyncErrorKind.FEED_FAILED: _text(
            "{shop}：一括送信した{count}件の在庫数を、モールが最後まで処理しませんでした。",
            "{shop}: the mall did not finish {count} numbers that were sent in bulk.",
            do_ja=(
                "1件ずつ自動で再送されます。操作は不要です。",
                "続く場合は、{mall}のお知らせを確認してください。",
            ),
            do_en=(
                "Nothing to do: they are sent again, one by one.",
                "If it goes on, look at the notices of {mall}.",
            ),
        ),
        SyncErrorKind.ORDER_UNREADABLE: _text(
            "{shop}：{count}件の注文を読み取れませんでした。在庫は引き当てられていません。",
            "{shop}: {count} orders could not be read. They have taken no stock.",
            do_ja=(
                "{mall}の管理画面で注文を確認してください。",
                "売れた数を総在庫数から引いてください。",
            ),
            do_en=(
                "Look at the orders at {mall}.",
                "Take what they sold off the totals.",
            ),
        ),
        SyncErrorKind.ORDER_UNLINKED: _text(
            "{shop}：紐づいていない商品に{count}件の注文があります。在庫は引き当てられていません。",
            "{shop}: {count} orders are for listings that are not linked. They have taken no stock.",
            do_ja=(
                "商品を紐づけてください。引き当てる数は紐づけの前に表示されます。",
                "連携しない商品であれば、このエラーを削除してください。",
            ),
            do_en=(
                "Link the listings. How many units that takes is shown first.",
                "If they are not meant to be linked, clear this error.",
            ),
        ),
        SyncErrorKind.FILE_REJECTED: _text(
            "{shop}：モールがファイルを受け付けませんでした（{count}件）。",
            "{shop}: the mall rejected {count} files.",
            do_ja=(
                "モールのメッセージと{mall}のエラーログを確認し、該当する商品を直してください。",
                "そのあと差異のある商品を反映してください。",
            ),
            do_en=(
                "Read the mall's message and the error log of {mall}, and mend the items it names.",
                "Then reflect the items that differ.",
            ),
        ),
    }
)

_SOON: Mapping[SyncErrorKind, Mapping[Locale, str]] = MappingProxyType(
    {
        SyncErrorKind.CREDENTIALS_EXPIRED: {
            Locale.JA: "{shop}：認証情報の有効期限が{days}日以内に切れます。",
            Locale.EN: "{shop}: the credentials expire within {days} days.",
        },
        SyncErrorKind.CONSENT_NEEDED: {
            Locale.JA: "{shop}：モールでの利用許可（認可）が{days}日以内に切れます。",
            Locale.EN: "{shop}: the consent given at the mall lapses within {days} days.",
        },
    }
)
"""Of what lives for a time, while it still does."""
