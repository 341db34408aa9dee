"""What a line of a connection test says: a sentence, and what to do, in order.

Kinds are those of errors (domain/model/sync_errors.py), but a test halts nothing: its sentences are its own.
"""

from collections.abc import Mapping
from types import MappingProxyType

from domain.model.locales import Locale, Words
from domain.model.malls import CheckOutcome, CheckPartKey, MallKind
from domain.model.sync_errors import SyncErrorKind, mall_name

_AGAIN = Words("そのあと、もう一度テストしてください。", "Then test again.")
_ADDRESS = Words(
    "店舗設定の接続先アドレスを確認してください。", "Check the addresses in the shop's settings."
)

_NOT_GOOD: Mapping[SyncErrorKind, tuple[Words, tuple[Words, ...]]] = MappingProxyType(
    {
        SyncErrorKind.CREDENTIALS_REFUSED: (
            Words(
                "モールが認証情報を受け付けません。", "The mall does not accept the credentials."
            ),
            (
                Words(
                    "{mall}の管理画面で、キーの有効期限と権限を確認し、必要なら更新してください。",
                    "In the admin screen of {mall}, look at the key's expiry and rights; renew it if need be.",
                ),
                Words(
                    "新しい認証情報を店舗設定に入力してください。テストが自動で始まります。",
                    "Enter the new credentials in the shop's settings: a test starts by itself.",
                ),
            ),
        ),
        SyncErrorKind.CONSENT_NEEDED: (
            Words(
                "モールでの利用許可（認可）がないか、切れています。",
                "The seller's consent at the mall is missing or has lapsed.",
            ),
            (
                Words(
                    "店舗設定の「再認可」を押し、{mall}の画面で許可してください。テストが自動で始まります。",
                    "Press “Consent again” in the shop's settings and allow the access at {mall}: a test starts by itself.",
                ),
            ),
        ),
        SyncErrorKind.MAINTENANCE: (
            Words("モールがメンテナンス中です。", "The mall is under maintenance."),
            (
                Words(
                    "{mall}のお知らせで終わる時刻を確認してください。",
                    "See at {mall} when it ends.",
                ),
                _AGAIN,
            ),
        ),
        SyncErrorKind.THROTTLED: (
            Words(
                "モールの呼び出し回数の上限に達しました。", "The mall's limit on calls is reached."
            ),
            (
                Words(
                    "同じ{mall}店舗につながっている他のツールがあれば止め、数分待ってください。",
                    "Stop other tools on the same {mall} shop, if there are any, and wait some minutes.",
                ),
                _AGAIN,
            ),
        ),
        SyncErrorKind.UNREACHABLE: (
            Words(
                "モールに接続できないか、応答がありません。",
                "The mall cannot be reached or does not answer.",
            ),
            (
                _ADDRESS,
                Words("{mall}のお知らせを確認してください。", "Look at the notices of {mall}."),
                _AGAIN,
            ),
        ),
        SyncErrorKind.ANSWER_UNREADABLE: (
            Words(
                "モールの応答が仕様と異なり、読み取れませんでした。",
                "The answer is not what the mall documents and could not be read.",
            ),
            (
                _ADDRESS,
                Words(
                    "正しい場合は、{mall}の仕様変更が考えられます。サポートにお知らせください。",
                    "If they are right, {mall} may have changed its interface: tell support.",
                ),
            ),
        ),
        SyncErrorKind.ITEM_REFUSED: (
            Words("モールがこの呼び出しを断りました。", "The mall refused this call."),
            (
                Words("モールのメッセージを確認してください。", "Read the mall's message."),
                Words(
                    "{mall}でこの機能の利用が許可されているか確認してください。",
                    "See at {mall} whether this function is allowed for the shop.",
                ),
                _AGAIN,
            ),
        ),
    }
)
_CLOCK = Words(
    "このサーバーの時計とモールの時計がずれています。",
    "The clocks of this server and of the mall disagree.",
)
_SET_CLOCK = Words(
    "このサーバーの時計を合わせてください（NTP）。", "Set this server's clock (NTP)."
)
_NOT_TESTED = Words(
    "認証情報と認可がOKになってから確認します。",
    "It is tested once the credentials and the consent are good.",
)
_UNTOLD = SyncErrorKind.UNREACHABLE
"""What is taken for the kind of a line that names none."""


def message(
    key: CheckPartKey, outcome: CheckOutcome, kind: SyncErrorKind | None, locale: Locale
) -> str | None:
    """None for what is good or not needed."""
    match outcome:
        case CheckOutcome.NOT_TESTED:
            return _NOT_TESTED.of(locale)
        case CheckOutcome.NG if key is CheckPartKey.CLOCK and kind is None:
            return _CLOCK.of(locale)
        case CheckOutcome.NG:
            return _NOT_GOOD[kind or _UNTOLD][0].of(locale)
    return None


def advice(
    key: CheckPartKey,
    outcome: CheckOutcome,
    kind: SyncErrorKind | None,
    mall: MallKind,
    locale: Locale,
) -> list[str]:
    """Empty for what is not bad."""
    if outcome is not CheckOutcome.NG:
        return []
    if key is CheckPartKey.CLOCK and kind is None:
        return [_SET_CLOCK.of(locale)]
    steps = _NOT_GOOD[kind or _UNTOLD][1]
    return [step.of(locale).format(mall=mall_name(mall, locale)) for step in steps]
