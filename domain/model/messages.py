"""What is said when the rules refuse something, in the caller's language.

The English sentence comes with the error. The Japanese one stands here: found by the error's code and by a name in its
path, the more telling name first; of those, the first whose values the error brings.
"""

import re
from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType

from domain.model.errors import DomainError
from domain.model.locales import Locale, Words

JAPANESE: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "NOT_FOUND": (
            ("product_id", "この商品は見つかりません。商品一覧を読み込み直してください。"),
            ("product_ids", "この商品は見つかりません。商品一覧を読み込み直してください。"),
            ("products", "この商品は見つかりません。商品一覧を読み込み直してください。"),
            ("listing_id", "この出品は見つかりません。出品一覧を読み込み直してください。"),
            ("listings", "この出品は見つかりません。出品一覧を読み込み直してください。"),
            (
                "group_id",
                "この確保在庫グループは見つかりません。グループ一覧を読み込み直してください。",
            ),
            ("job_id", "このジョブは見つかりません。ジョブ一覧を読み込み直してください。"),
            ("shop_ids", "この店舗は見つかりません。店舗一覧を読み込み直してください。"),
            ("shop_id", "この店舗は見つかりません。店舗一覧を読み込み直してください。"),
            ("base_shop_id", "この店舗は見つかりません。店舗一覧を読み込み直してください。"),
            ("delete_ids", "この紐づけ表の行は見つかりません。一覧を読み込み直してください。"),
            ("errors", "このエラーは見つかりません。エラー一覧を読み込み直してください。"),
            ("", "対象が見つかりません。画面を読み込み直してください。"),
        ),
        "INVALID_VALUE": (
            ("idempotency_key", "idempotencyKey は1文字以上{most}文字以内にしてください。"),
            ("at", "時刻を 03:30 のように入力してください。"),
            (
                "count",
                "セット1つに入る数は1から{most}で入力してください。",
            ),
            (
                "parts",
                "同じ構成品が2回指定されています。1行にまとめ、数量を合計してください。",
            ),
            (
                "pairs",
                "1つの出品を紐づけられる商品は1つだけです。同じ出品は1回だけ指定してください。",
            ),
            (
                "maximum",
                "最大数を{maximum}にすると何も販売されません。最大数を空にして連携を外すか、最小数を大きくしてください。",
            ),
            ("image_url", "アドレスは{most}文字以内で入力してください。"),
            ("image_url", "https:// か http:// で始まるアドレスを入力してください。"),
            ("code", "コードは{most}文字以内で入力してください。"),
            ("code", "コードは半角英数字・ハイフン・アンダースコアで40文字以内にしてください。"),
            (
                "expected_version",
                "expectedVersion は{most}件までの指定でのみ使えます（現在{count}件）。外してお試しください。",
            ),
            ("job_id", "接続テストはすぐに終わるため取り消せません。結果をお待ちください。"),
            ("match_key", "{columns}から、1つ以上を重複なく選んでください。"),
            ("order_poll_seconds", "受注の取得間隔は{least}秒から{most}秒で指定してください。"),
            ("reflect_interval_seconds", "反映間隔は0（即時）から{most}秒で指定してください。"),
            ("notification_email", "メールアドレスは name@example.com の形で入力してください。"),
            ("email", "メールアドレスは name@example.com の形で入力してください。"),
            ("return_url", "戻り先のURLが許可されていません。許可されたURLを指定してください。"),
            ("scopes", "トークンには役割か権限のどちらか一方だけを指定してください。"),
            ("password", "パスワードは{least}文字以上{most}文字以内で入力してください。"),
            ("invite", "無効な担当者は招待できません。先に有効にしてください。"),
            ("expires_at", "有効期限には現在より後の日時を指定してください。"),
            (
                "time_zone",
                "タイムゾーン「{zone}」はありません。Asia/Tokyo のような名前を入力してください。",
            ),
            (
                "",
                "このモールでは「{not_a_code}」というコードを使えません。商品コードを変更するか、出品を取り込んで紐づけてください。",
            ),
            (
                "settings",
                "「{host}」はモールのアドレスではありません。空欄にするか、運用担当者に RENKEI_MALL_HOSTS への追加を依頼してください。",
            ),
            ("", "{label}の形式が正しくありません。{help}"),
            ("", "「{key}」という項目はありません。店舗の入力欄を確認してください。"),
            ("", "店舗の状態（{state}）ではこの操作はできません。店舗の状態を確認してください。"),
            ("", "「{twice}」が2回指定されています。1回だけ指定してください。"),
            ("counted_at", "数えた日時は{days}日前から現在までで入力してください。"),
            ("since", "{days}日前から現在までの日時を指定してください。"),
            ("", "{least}から{most}までの数を入力してください（入力値：{value}）。"),
            ("", "{most}文字以内で入力してください。"),
            ("", "この値は使えません。入力内容を直してもう一度お試しください。"),
        ),
        "REQUIRED": (
            ("code", "コードを入力してください。"),
            ("name", "名前を入力してください。"),
            ("scopes", "トークンの役割か権限を指定してください。"),
            ("email", "メールアドレスを入力してください。"),
            ("role", "役割を指定してください。"),
            ("products", "反映する商品か出品を指定してください。"),
            ("weekdays", "曜日を1つ以上選んでください。"),
            ("shop_ids", "店舗を指定してください。"),
            ("shop_ids", "店舗を1つ以上指定してください。"),
            ("listings", "出品を1つ以上指定してください。"),
            ("", "{label}を入力してください。"),
            ("", "先に「{key}」を入力してください。"),
            ("", "必須の項目を入力してください。"),
        ),
        "TOO_MANY": (
            ("parts", "セットの構成品は{most}点までです（現在{count}点）。"),
            (
                "name",
                "店舗は{most}店までです（現在{shops}店）。使わない店舗の連携を解除してください。",
            ),
            (
                "shop_ids",
                "一度に反映できるのは{most}件までです（現在{count}件）。店舗を指定してください。",
            ),
            (
                "shop_id",
                "1店舗の一括同期スケジュールは{most}件までです。登録済みのものを変更してください。",
            ),
            ("filter", "一度に選べるのは{most}件までです。絞り込み条件を追加してください。"),
            (
                "",
                "終わっていない一括処理は{most}件までです（現在{running}件）。終わるまで待つか、どれかを取り消してください。",
            ),
            ("", "一度に指定できるのは{most}件までです（現在{count}件）。分けて実行してください。"),
        ),
        "CODE_TAKEN": (
            (
                "code",
                "コード「{value}」はすでに使われています。別のコードを入力してください。",
            ),
            ("", "商品「{listed}」は店舗「{shop}」ですでに取り扱っています。"),
            (
                "",
                "店舗「{shop}」には出品「{page}」がすでにあります。その出品を商品に紐づけてください。",
            ),
            ("email", "「{value}」はすでに登録されています。別のアドレスを入力してください。"),
            ("", "「{value}」はすでに使われています。別の名前を入力してください。"),
        ),
        "TOTAL_CHANGED": (
            (
                "",
                "総在庫数は{expected}から{current}に変わっています。確認してもう一度入力してください。",
            ),
        ),
        "COUNTED_SINCE": (
            (
                "",
                "この日時より後（{last}）に総在庫数が数え直されているか設定されています。もう一度数えて入力してください。",
            ),
        ),
        "VERSION_CHANGED": (
            ("", "ほかの人が先に変更しました。最新の内容を確認してもう一度保存してください。"),
        ),
        "SELECTION_GREW": (
            (
                "",
                "対象が{expected}件から{now}件に増えています。一覧を読み込み直して、もう一度選んでください。",
            ),
        ),
        "CONFIRMATION_NEEDED": (
            (
                "",
                "{changed}件の出品が変わり、うち{to_zero}件が0になります（受注連動が止まっている店舗：{orders_off}）。内容を確認し、"
                "confirmationToken を付けて送ってください。",
            ),
        ),
        "CONFIRMATION_STALE": (
            (
                "",
                "確認した内容から変わりました。今は{changed}件の出品が変わり、うち{to_zero}件が0になります（受注連動が止まっている店舗："
                "{orders_off}）。もう一度確認し、新しい confirmationToken を付けて送ってください。",
            ),
        ),
        "INSUFFICIENT_STOCK": (
            (
                "",
                "総在庫数は{total}です。{change}にすると0を下回ります。減らす数を直すか、実際にない場合は allowNegative を指定して調整してください。",
            ),
        ),
        "SET_HAS_NO_STOCK": (
            (
                "",
                "この商品には在庫が{total}あります。総在庫数を0にしてからセット商品にしてください。",
            ),
            ("", "セット商品は在庫を持ちません。構成品の在庫を変更してください。"),
        ),
        "SET_IN_SET": (
            ("parts", "セット商品は構成品にできません。単品を指定してください。"),
            (
                "",
                "この商品はほかのセット商品の構成品です。先にそのセットから外してください。",
            ),
        ),
        "SET_EMPTY": (("", "構成品を1つ以上指定してください。"),),
        "PART_IN_USE": (("", "セット商品（{sets}）の構成品です。先にセットから外してください。"),),
        "SHOP_NOT_IN_USE": (
            ("", "店舗「{shop}」は利用していません。先に利用店舗に設定してください。"),
        ),
        "ALREADY_RUNNING": (
            (
                "",
                "店舗「{syncing}」の全件同期はまだ終わっていません。終わるまで待つか、先に取り消してください。",
            ),
            (
                "",
                "店舗「{shop}」の受注取得はまだ終わっていません。終わるまで待つか、先に取り消してください。",
            ),
        ),
        "MALL_FAILED": (
            (
                "",
                "店舗「{shop}」のモール在庫を読み取れませんでした。時間をおいてもう一度読み取ってください。",
            ),
        ),
        "MALL_STOCK_UNKNOWN": (
            ("", "モールの在庫数が分かりません。先に「モール在庫の読み取り」をしてください。"),
        ),
        "CANNOT_TAKE_THEIRS": (
            (
                "",
                "この出品のモール在庫数からは総在庫数が決まりません（セット商品、下限・上限、在庫マイナス、または同じ商品の別の出品のため）。"
                "総在庫数を入力するか、自社の在庫数に合わせてください。",
            ),
        ),
        "ORDERS_NOT_IN": (
            (
                "",
                "読み取った時点までの受注がまだ取り込まれていません。受注による減少かもしれないため、数分後にもう一度操作してください。",
            ),
        ),
        "UNKNOWN_AT_MALL": (
            ("", "モールにこのコードの商品がありません。モールの商品を確認してください。"),
        ),
        "PLAN_LIMIT": (
            (
                "",
                "契約の上限（{limit}商品）に達しています。不要な商品を削除するか、プランを変更してください。",
            ),
        ),
        "IDEMPOTENCY_KEY_REUSED": (
            (
                "",
                "この idempotencyKey は別の依頼に使われています。依頼ごとに新しいものを付けてください。",
            ),
        ),
        "IDEMPOTENCY_IN_PROGRESS": (
            (
                "",
                "この idempotencyKey の最初の依頼を処理しています。少し待ってからもう一度送ってください。",
            ),
        ),
        "BAD_ID": (
            (
                "",
                "「{id}」はこのAPIのIDではないか、ここで指定できる種類のIDではありません。画面を読み込み直してください。",
            ),
        ),
        "BAD_PAGE": (
            ("", "1ページは{least}行から{most}行までで指定してください。"),
            ("", "first と last は同時に指定できません。どちらか一方にしてください。"),
        ),
        "BAD_CURSOR": (
            (
                "",
                "このカーソルは、この一覧のこの並び順のものではありません。カーソルなしで読み込み直してください。",
            ),
        ),
        "EVENT_CURSOR_EXPIRED": (
            (
                "",
                "このカーソルより後の変更はもう残っていません。after を付けずに {query} を最初から読み直してください。",
            ),
            (
                "",
                "このカーソルより後の変更はもう残っていません。画面を読み込み直し、その eventCursor から購読してください。",
            ),
        ),
        "FORBIDDEN": (
            ("", "権限がありません（必要な権限：{permission}）。契約者にお問い合わせください。"),
        ),
        "SUBSCRIPTION_NEEDS_SOCKET": (("", "購読は WebSocket で行ってください。"),),
        "ORIGIN_NOT_ALLOWED": (("", "このオリジンのページからはサインインできません。"),),
        "SIGN_IN_FAILED": (
            (
                "",
                "契約コード・メールアドレス・パスワードのいずれかが正しくありません。忘れた場合は契約者に新しい招待を依頼してください。",
            ),
        ),
        "INVITATION_OVER": (
            (
                "",
                "この招待は使用済みか、期限が切れたか、新しい招待に置き換えられています。契約者に新しい招待を依頼してください。",
            ),
        ),
        "TOO_MANY_ATTEMPTS": (
            ("", "試行回数が多すぎます。{seconds}秒後にもう一度お試しください。"),
        ),
        "BAD_REQUEST": (("", "リクエストの形式が正しくありません。"),),
        "BAD_USER_INPUT": (("", "渡された値が正しくありません。"),),
        "UNAUTHENTICATED": (("", "認証が必要です。有効なトークンを送ってください。"),),
        "METHOD_NOT_ALLOWED": (("", "このHTTPメソッドは使えません。"),),
        "NOT_ACCEPTABLE": (("", "求められた形式では返せません。"),),
        "UNSUPPORTED_MEDIA_TYPE": (("", "この形式の本文は受け付けません。"),),
        "TOO_LARGE": (("", "リクエストが大きすぎます。分けて送ってください。"),),
        "TOO_MANY_OPERATIONS": (("", "この接続で同時に実行できる操作の上限に達しました。"),),
        "TOO_DEEP": (("", "クエリの階層が深すぎます。"),),
        "TOO_COMPLEX": (("", "クエリの項目が多すぎます。"),),
        "TOO_MANY_ALIASES": (("", "別名（alias）が多すぎます。"),),
        "TOO_MANY_ROOT_FIELDS": (("", "最上位の項目が多すぎます。"),),
        "TOO_MANY_DIRECTIVES": (("", "ディレクティブが多すぎます。"),),
        "TOO_MANY_FRAGMENTS": (("", "フラグメントが多すぎます。"),),
        "TOO_MANY_VARIABLES": (("", "変数が多すぎます。"),),
        "VARIABLES_TOO_LARGE": (("", "変数の値が大きすぎます。分けて送ってください。"),),
        "TOO_EXPENSIVE": (
            (
                "",
                "この操作のコストは{cost}で、上限の{maximum}を超えています。1ページの件数（first）や階層を減らすか、操作を分けてください。",
            ),
        ),
        "THROTTLED": (
            (
                "",
                "利用枠が足りません（必要なコスト：{cost}）。{retry_after}秒後にもう一度送ってください。",
            ),
        ),
        "GRAPHQL_PARSE_FAILED": (("", "GraphQLの文法に誤りがあります。"),),
        "GRAPHQL_VALIDATION_FAILED": (("", "クエリがこのAPIのスキーマに合っていません。"),),
        "INTROSPECTION_OFF": (("", "このAPIではスキーマの照会を止めています。"),),
        "PERSISTED_QUERY_MISMATCH": (("", "sha256Hash がクエリのものと一致しません。"),),
        "DOCUMENT_NOT_FOUND": (("", "この documentId のクエリは登録されていません。"),),
        "DOCUMENT_NOT_TRUSTED": (("", "登録済みのクエリ以外は実行できません。"),),
        "OPERATION_RESOLUTION_FAILURE": (("", "実行する操作を決められません。"),),
        "NOT_SUPPORTED_BY_MALL": (
            ("", "この店舗のモールでは「{key}」を在庫と一緒に送れません（送れる項目：{keys}）。"),
            (
                "shop_id",
                "このモールでは商品コードだけで出品を特定できません。出品データを取り込んでください。",
            ),
            (
                "",
                "{mall_name}では表示中の在庫数を読み取れません。モールの管理画面で確認してください。",
            ),
            ("", "このモールでは必要のない操作です。"),
        ),
        "EXCEEDS_RIGHTS": (
            ("", "自分が持たない権限（{rights}）が必要です。契約者に依頼してください。"),
        ),
        "LAST_OWNER": (
            (
                "",
                "有効な契約者が1人は必要です。先に別の担当者を契約者にしてください。",
            ),
        ),
    }
)
"""Code to (name in the path, sentence); the name "" fits every path."""


def message(error: DomainError, locale: Locale) -> str:
    """What happened and what to do. An error that has no Japanese sentence is told in English."""
    return _japanese(error) or error.message if locale is Locale.JA else error.message


def shown(value: object, locale: Locale) -> str:
    """One of an error's values as it stands in a sentence."""
    match value:
        case Words():
            return value.of(locale)
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def _japanese(error: DomainError) -> str | None:
    values = {name: shown(value, Locale.JA) for name, value in error.params.items()}
    path = {"", *map(_snake, error.field)}
    fitting = (
        sentence
        for name, sentence in JAPANESE.get(error.code, ())
        if name in path and _names_in(sentence) <= values.keys()
    )
    sentence = next(fitting, None)
    return None if sentence is None else sentence.format_map(values)


def _names_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
