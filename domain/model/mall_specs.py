"""What each mall asks of a merchant and can do for them, as data: forms, consent, prerequisites, capabilities.

The API draws shop forms from it, workers plan by its capabilities, connectors read their defaults from it.
Facts are those of the malls' fact sheets. Where a sheet has no figure the value is ours and chosen to be safe;
`speed` in a shop's settings divides the times for a sandbox shop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlencode

from domain.model.errors import DomainError
from domain.model.malls import (
    CancelSupport,
    Capabilities,
    CheckPartKey,
    FeedLimits,
    MallKind,
    Rereads,
)

URL_PATTERN = r"^https?://[^\s/]+(/\S*)?$"


class FormFieldKind(StrEnum):
    TEXT = "TEXT"
    PASSWORD = "PASSWORD"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    CHOICE = "CHOICE"
    DATE = "DATE"
    PEM = "PEM"
    URL = "URL"


class FormSection(StrEnum):
    CREDENTIALS = "CREDENTIALS"
    SHOP = "SHOP"
    CONNECTION = "CONNECTION"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a shop's form. `pattern` is a regular expression for the whole value; `default` holds when empty.

    `lives_until`: the part of the connection test that tells how long a credential lives.
    """

    key: str
    section: FormSection
    label_ja: str
    label_en: str
    help_ja: str = ""
    help_en: str = ""
    kind: FormFieldKind = FormFieldKind.TEXT
    secret: bool = False
    required: bool = True
    pattern: str | None = None
    options: tuple[str, ...] = ()
    default: str = ""
    lives_until: CheckPartKey | None = None


@dataclass(frozen=True, slots=True)
class MallColumn:
    """One column of a mall's item data. `key` is its name in `MallListing.keys` or `.fields`, `header` in its files.

    `kind`, `pattern`, `help`: what may be entered where it is editable; `pattern` is for the whole value.
    """

    key: str
    label_ja: str
    label_en: str
    header: str | None = None
    carries_link_code: bool = False
    match_key: bool = False
    editable: bool = False
    sent_with_stock: bool = False
    kind: FormFieldKind = FormFieldKind.TEXT
    pattern: str | None = None
    help_ja: str = ""
    help_en: str = ""


@dataclass(frozen=True, slots=True)
class ConsentSpec:
    """The page where a seller consents: `settings[base_setting] + authorize_path`, with `fixed` query parameters and
    `identity`: (query parameter, credential or setting that fills it).

    `code_param`: the query parameter in which the mall returns the code. `rolls`: using the consent prolongs it.
    """

    base_setting: str
    authorize_path: str
    identity: tuple[str, str]
    fixed: Mapping[str, str] = field(default_factory=dict)
    code_param: str = "code"
    valid_for: timedelta | None = None
    rolls: bool = False


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """What a merchant arranges at the mall before connecting. `usual_days`: how long the mall takes, None if unknown."""

    key: str
    text_ja: str
    text_en: str
    usual_days: int | None = None


@dataclass(frozen=True, slots=True)
class MallSpec:
    """`attach_by`: same-product keys whose value alone names a page, so that a product's code makes a listing.
    `code_pattern`: such codes, as the mall has them.
    """

    kind: MallKind
    name_ja: str
    name_en: str
    credential_fields: tuple[FormField, ...]
    setting_fields: tuple[FormField, ...]
    columns: tuple[MallColumn, ...]
    consent: ConsentSpec | None
    prerequisites: tuple[Prerequisite, ...]
    capabilities: Capabilities
    attach_by: tuple[str, ...] = ()
    code_pattern: str = r"^.+$"

    @property
    def match_keys(self) -> tuple[str, ...]:
        """Columns that may serve as same-product key, the usual one first."""
        return tuple(column.key for column in self.columns if column.match_key)

    def settings_with_defaults(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Empty settings take their defaults; settings without a field are kept."""
        defaults = {each.key: each.default for each in self.setting_fields}
        return defaults | {key: value for key, value in settings.items() if value}


def consent_url(
    spec: MallSpec,
    credentials: Mapping[str, str],
    settings: Mapping[str, str],
    state: str,
    redirect_uri: str,
) -> str:
    """Where to send the seller's browser. Raises DomainError NOT_SUPPORTED_BY_MALL or, when the id that names our
    application is not set yet, REQUIRED."""
    consent = spec.consent
    if consent is None:
        raise DomainError(f"{spec.name_en} needs no consent.", code="NOT_SUPPORTED_BY_MALL")
    known = spec.settings_with_defaults(settings)
    parameter, key = consent.identity
    identity = credentials.get(key) or known.get(key)
    if not identity:
        raise DomainError(f"Enter {key} first.", field=(key,), code="REQUIRED", key=key)
    query = dict(consent.fixed) | {parameter: identity, "redirect_uri": redirect_uri}
    base = known[consent.base_setting].rstrip("/")
    return f"{base}{consent.authorize_path}?{urlencode(query | {'state': state})}"


def _address(key: str, label_ja: str, label_en: str, default: str) -> FormField:
    return FormField(
        key,
        FormSection.CONNECTION,
        label_ja,
        label_en,
        "通常は変更しません。テスト環境につなぐときだけ変更します。",
        "Leave as it is, unless you connect to a test environment.",
        kind=FormFieldKind.URL,
        required=False,
        pattern=URL_PATTERN,
        default=default,
    )


def _secret(
    key: str,
    label_ja: str,
    label_en: str,
    help_ja: str,
    help_en: str,
    *,
    kind: FormFieldKind = FormFieldKind.PASSWORD,
    required: bool = True,
    lives_until: CheckPartKey | None = None,
) -> FormField:
    return FormField(
        key,
        FormSection.CREDENTIALS,
        label_ja,
        label_en,
        help_ja,
        help_en,
        kind=kind,
        secret=True,
        required=required,
        lives_until=lives_until,
    )


SPEED = FormField(
    "speed",
    FormSection.CONNECTION,
    "テスト環境の速さ",
    "Speed of the test environment",
    "テスト環境の時計が何倍で進むか。実際のモールでは 1 のままにします。",
    "How many times faster a test environment runs. Leave at 1 for the real mall.",
    kind=FormFieldKind.NUMBER,
    required=False,
    pattern=r"^[1-9][0-9]{0,5}$",
    default="1",
)

READ_BACK = FormField(
    "read_back_one_in",
    FormSection.CONNECTION,
    "在庫数の読み直し（何件に1件）",
    "Read back one number in",
    "モールが更新済みと答えた在庫数のうち、何件に1件を読み直して確かめるか。0にした在庫数は必ず読み直します。",
    "Of so many numbers that the mall calls applied, one is read to see that it is there. Every drop to 0 is.",
    kind=FormFieldKind.NUMBER,
    required=False,
    pattern=r"^[1-9][0-9]{0,3}$",
    default="50",
)

RELATIVE = FormField(
    "relative_writes",
    FormSection.CONNECTION,
    "在庫数を増減で送る",
    "Send changes of stock",
    "在庫数そのものではなく増減を送ります。まだ取り込んでいない注文の分を戻してしまうことがありません。"
    "0にするときなどは、今までどおり在庫数を送ります。",
    "Sends by how much a number changes, not the number: a unit that was sold and is not yet known here is not put back. "
    "Zeros, and whatever is not sure, go out as numbers all the same.",
    kind=FormFieldKind.BOOLEAN,
    required=False,
    default="false",
)
"""Only where the mall's own documentation says all of what a change does. Rakuten's does not say what one below zero does."""

RAKUTEN = MallSpec(
    kind=MallKind.RAKUTEN,
    name_ja="楽天市場",
    name_en="Rakuten Ichiba",
    credential_fields=(
        _secret(
            "service_secret",
            "サービスシークレット",
            "Service secret",
            "RMS > 店舗様向け情報・サービス > WEB APIサービス > 利用設定 に表示されます。",
            "Shown in RMS under WEB API service > settings (利用設定).",
        ),
        _secret(
            "license_key",
            "ライセンスキー",
            "License key",
            "約90日で切れます。新しいキーを発行すると古いキーはすぐに使えなくなり、"
            "新しいキーが使えるまで15〜30分かかることがあります。",
            "Lives about 90 days. Issuing a new key ends the old one at once, and the new one may take "
            "15 to 30 minutes to work.",
            lives_until=CheckPartKey.CREDENTIALS,
        ),
    ),
    setting_fields=(
        _address(
            "base_url", "接続先アドレス", "Address of the API", "https://api.rms.rakuten.co.jp"
        ),
        READ_BACK,
        SPEED,
    ),
    columns=(
        MallColumn(
            "merchantDefinedSkuId",
            "システム連携用SKU番号",
            "Merchant-defined SKU id",
            "システム連携用SKU番号",
            carries_link_code=True,
            match_key=True,
        ),
        MallColumn("variantId", "SKU管理番号", "SKU control number", "SKU管理番号", match_key=True),
        MallColumn(
            "manageNumber",
            "商品管理番号（商品URL）",
            "Item control number (item URL)",
            "商品管理番号（商品URL）",
            match_key=True,
        ),
        MallColumn("itemNumber", "商品番号", "Item number", "商品番号", match_key=True),
        MallColumn("restockOnCancel", "在庫戻しフラグ", "Restock on cancel", "在庫戻しフラグ"),
        MallColumn(
            "backOrderFlag",
            "在庫切れ時の注文受付",
            "Accept orders when sold out",
            "在庫切れ時の注文受付",
        ),
        MallColumn("hidden", "SKU倉庫指定", "Hidden (SKU in storage)"),
        MallColumn("itemType", "商品種別", "Kind of item (normal, pre-order, buying club)"),
    ),
    consent=None,
    prerequisites=(
        Prerequisite(
            "web_api",
            "RMS の WEB APIサービス > 利用機能編集 で、在庫API（InventoryAPI）・商品API（ItemAPI）・"
            "楽天ペイ受注API・ライセンス管理API を利用するに設定してください。",
            "In RMS, WEB API service > 利用機能編集, switch on the inventory, item, RakutenPay order and "
            "license management APIs.",
            usual_days=0,
        ),
        Prerequisite(
            "license_key",
            "ライセンスキーを発行してください。認識されるまで15〜30分かかることがあります。",
            "Issue a license key. It may take 15 to 30 minutes until it is recognised.",
            usual_days=0,
        ),
        Prerequisite(
            "sku_migration",
            "SKU移行が済んだ店舗であることを確認してください。",
            "Make sure that the shop has completed the SKU migration.",
        ),
    ),
    capabilities=Capabilities(
        max_pushes_per_call=400,
        max_reads_per_call=1000,
        relative_writes=True,
        max_quantity=99_999,
        usual_delay=timedelta(minutes=1),
        order_overlap=timedelta(minutes=10),
        order_lag=timedelta(0),
        order_time_resolution=timedelta(seconds=1),
        order_freshness=timedelta(minutes=1),
        order_poll=timedelta(seconds=10),
        max_order_window=timedelta(days=63),
        rereads=Rereads(at_once=100, a_minute=600),
        cancels=CancelSupport.SEEN_ON_REREAD,
        answers_applied=True,
    ),
)

YAHOO_SHOPPING = MallSpec(
    kind=MallKind.YAHOO_SHOPPING,
    name_ja="Yahoo!ショッピング",
    name_en="Yahoo! Shopping",
    credential_fields=(
        _secret(
            "client_id",
            "Client ID（アプリケーションID）",
            "Client ID (application id)",
            "Yahoo!デベロッパーネットワークのアプリケーション管理に表示されます。",
            "Shown in the application list of Yahoo! Developer Network.",
            kind=FormFieldKind.TEXT,
        ),
        _secret(
            "client_secret",
            "シークレット",
            "Client secret",
            "アプリケーション管理で Client ID と並んで表示されます。",
            "Shown beside the client id.",
        ),
        _secret(
            "refresh_token",
            "リフレッシュトークン",
            "Refresh token",
            "「連携を許可」から許可すると自動で入ります。許可は4週間有効です。",
            "Filled in when you give your consent. A consent is valid for 4 weeks.",
            required=False,
        ),
        _secret(
            "public_key",
            "公開鍵",
            "Public key",
            "ストアクリエイターPro > 設定 > 暗号鍵管理 の公開鍵（PEM）。1年間有効です。"
            "登録しないと注文の取得は許可から12時間で止まります。",
            "From Store Creator Pro > settings > 暗号鍵管理, as PEM; valid for 1 year. "
            "Without it orders can be read only for 12 hours after each consent.",
            kind=FormFieldKind.PEM,
            required=False,
        ),
        FormField(
            "public_key_version",
            FormSection.CREDENTIALS,
            "公開鍵のバージョン",
            "Version of the public key",
            "暗号鍵管理で公開鍵と並んで表示される番号です。",
            "The number shown beside the public key.",
            required=False,
            pattern=r"^[0-9]{1,9}$",
        ),
    ),
    setting_fields=(
        FormField(
            "seller_id",
            FormSection.SHOP,
            "ストアアカウント",
            "Store account (seller id)",
            "ストアの URL に含まれる名前です。",
            "The name in your store's address.",
            pattern=r"^[A-Za-z0-9_-]{1,50}$",
        ),
        _address(
            "base_url",
            "接続先アドレス",
            "Address of the API",
            "https://circus.shopping.yahooapis.jp",
        ),
        _address(
            "auth_url",
            "認可サーバーのアドレス",
            "Address of the authorization server",
            "https://auth.login.yahoo.co.jp",
        ),
        RELATIVE,
        READ_BACK,
        SPEED,
    ),
    columns=(
        MallColumn(
            "sub-code",
            "個別商品コード",
            "Sub-code",
            "sub-code",
            carries_link_code=True,
            match_key=True,
        ),
        MallColumn("code", "商品コード", "Item code", "code", match_key=True),
        MallColumn(
            "allow_overdraft",
            "超過購入設定",
            "Sell below zero",
            "allow-overdraft",
            editable=True,
            sent_with_stock=True,
            pattern=r"^[01]$",
            help_ja="1：在庫が0でも注文を受けます。0：受けません。",
            help_en="1: orders are taken although nothing is left. 0: they are not.",
        ),
        MallColumn("stock_close", "売り切れ固定", "Kept sold out", "stock-close"),
    ),
    consent=ConsentSpec(
        base_setting="auth_url",
        authorize_path="/yconnect/v2/authorization",
        identity=("client_id", "client_id"),
        fixed=MappingProxyType({"response_type": "code", "scope": "openid profile", "bail": "1"}),
        valid_for=timedelta(weeks=4),
        rolls=False,
    ),
    prerequisites=(
        Prerequisite(
            "application",
            "Yahoo!デベロッパーネットワークでアプリケーションを作り、"
            "「ストア向け操作関連の機能」の利用を申請してください。",
            "Create an application at Yahoo! Developer Network and apply for the store scope.",
        ),
        Prerequisite(
            "order_api",
            "注文APIの利用を、接続元IPアドレスを添えて別に申請してください。",
            "Apply separately for the order API, naming the source addresses.",
            usual_days=7,
        ),
        Prerequisite(
            "public_key",
            "ストアクリエイターPro > 設定 > 暗号鍵管理 で公開鍵を発行してください。1年ごとに更新が必要です。",
            "Issue a public key in Store Creator Pro > settings > 暗号鍵管理. It is renewed every year.",
            usual_days=0,
        ),
    ),
    capabilities=Capabilities(
        max_pushes_per_call=1000,
        max_reads_per_call=1000,
        relative_writes=True,
        max_quantity=999_999_999,
        usual_delay=timedelta(minutes=5),
        order_overlap=timedelta(minutes=5),
        order_lag=timedelta(0),
        order_time_resolution=timedelta(seconds=1),
        order_freshness=timedelta(minutes=2),
        order_poll=timedelta(seconds=20),
        max_order_window=timedelta(days=7),
        rereads=Rereads(at_once=20, a_minute=6),
        cancels=CancelSupport.SEEN_ON_REREAD,
        answers_applied=True,
        takes_unknown_codes=True,
        fields_for_all_or_none=True,
    ),
    attach_by=("sub-code", "code"),
    code_pattern=r"^[A-Za-z0-9-]{1,99}$",
)

AMAZON = MallSpec(
    kind=MallKind.AMAZON,
    name_ja="Amazon.co.jp",
    name_en="Amazon.co.jp",
    credential_fields=(
        _secret(
            "client_id",
            "クライアント ID",
            "Client id",
            "LWA 認証情報の画面に表示されます。",
            "Shown on the LWA credentials page of your application.",
            kind=FormFieldKind.TEXT,
        ),
        _secret(
            "client_secret",
            "クライアントシークレット",
            "Client secret",
            "180日ごとの更新が必要です。",
            "Has to be rotated every 180 days.",
        ),
        _secret(
            "refresh_token",
            "リフレッシュトークン",
            "Refresh token",
            "「連携を許可」から許可すると自動で入ります。自社開発アプリでは画面の値を貼り付けます。",
            "Filled in when you give your consent; paste it for a self-authorised application.",
            required=False,
        ),
    ),
    setting_fields=(
        FormField(
            "seller_id",
            FormSection.SHOP,
            "出品者トークン（セラーID）",
            "Seller id (merchant token)",
            "セラーセントラル > 設定 > 出品用アカウント情報 に表示されます。",
            "Shown in Seller Central under account information.",
            pattern=r"^[A-Z0-9]{5,30}$",
        ),
        FormField(
            "marketplace_id",
            FormSection.SHOP,
            "マーケットプレイスID",
            "Marketplace id",
            "日本は A1VC38T7YXB528 です。",
            "Japan is A1VC38T7YXB528.",
            required=False,
            pattern=r"^[A-Z0-9]{5,30}$",
            default="A1VC38T7YXB528",
        ),
        FormField(
            "application_id",
            FormSection.SHOP,
            "アプリケーション ID",
            "Application id",
            "「連携を許可」を使う場合に必要です（amzn1.sp.solution. で始まります）。",
            "Needed for consent in Amazon's own page; starts with amzn1.sp.solution.",
            required=False,
        ),
        _address(
            "base_url",
            "接続先アドレス",
            "Address of the API",
            "https://sellingpartnerapi-fe.amazon.com",
        ),
        _address(
            "auth_url",
            "認可サーバーのアドレス",
            "Address of the authorization server",
            "https://api.amazon.com",
        ),
        _address(
            "consent_url",
            "許可画面のアドレス",
            "Address of the consent page",
            "https://sellercentral.amazon.co.jp",
        ),
        READ_BACK,
        SPEED,
    ),
    columns=(
        MallColumn(
            "seller-sku",
            "出品者SKU",
            "Seller SKU",
            "seller-sku",
            carries_link_code=True,
            match_key=True,
        ),
        MallColumn("asin1", "ASIN", "ASIN", "asin1", match_key=True),
        MallColumn("product-id", "商品ID", "Product id", "product-id", match_key=True),
        MallColumn(
            "lead_time_to_ship_max_days",
            "リードタイム（日）",
            "Lead time to ship (days)",
            editable=True,
            sent_with_stock=True,
            kind=FormFieldKind.NUMBER,
            pattern=r"^(0|[1-9][0-9]?)$",
            help_ja="出荷までの日数を0から99で入力します。",
            help_en="Days until it ships, 0 to 99.",
        ),
        MallColumn(
            "restock_date",
            "再入荷日",
            "Restock date",
            editable=True,
            sent_with_stock=True,
            kind=FormFieldKind.DATE,
            help_ja="2026-12-31 の形で入力します。",
            help_en="A day such as 2026-12-31.",
        ),
    ),
    consent=ConsentSpec(
        base_setting="consent_url",
        authorize_path="/apps/authorize/consent",
        identity=("application_id", "application_id"),
        fixed=MappingProxyType({"version": "beta"}),
        code_param="spapi_oauth_code",
        valid_for=timedelta(days=365),
        rolls=False,
    ),
    prerequisites=(
        Prerequisite(
            "application",
            "SP-API のアプリケーションを登録し、ロール「商品の出品」「在庫と注文の追跡」を取得してください。",
            "Register an SP-API application with the roles Product Listing and Inventory and Order Tracking.",
        ),
        Prerequisite(
            "professional_plan",
            "大口出品プランであることを確認してください。",
            "Make sure that the seller account is on the professional plan.",
        ),
    ),
    capabilities=Capabilities(
        max_pushes_per_call=1,
        max_reads_per_call=20,
        relative_writes=False,
        max_quantity=9_999_999,
        usual_delay=timedelta(minutes=5),
        order_overlap=timedelta(minutes=5),
        order_lag=timedelta(minutes=2),
        order_time_resolution=timedelta(seconds=1),
        order_freshness=timedelta(minutes=6),
        order_poll=timedelta(minutes=3),
        max_order_window=timedelta(days=30),
        rereads=Rereads(at_once=20, a_minute=20),
        cancels=CancelSupport.SEEN,
        answers_applied=False,
        calls_at_once=10,
        feed=FeedLimits(
            most=25_000,
            least=1_000,
            above=5,
            look_every=timedelta(seconds=15),
            lost_after=timedelta(hours=1),
        ),
    ),
    attach_by=("seller-sku",),
    code_pattern=r"^\S(.{0,38}\S)?$",
)

MALL_SPECS: Mapping[MallKind, MallSpec] = MappingProxyType(
    {spec.kind: spec for spec in (RAKUTEN, YAHOO_SHOPPING, AMAZON)}
)
