"""操作・売上・モール更新ログ The logs that people read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.actors import Actor
from api.fields import field, optional, planned
from api.listings import Listing, Push
from api.locales import LOCALE, chosen
from api.nodes import Node
from api.orders import Order, OrderLine
from api.products import Product
from api.shops import Shop
from domain.model.locales import Locale, Words
from domain.model.reflect import PushState
from domain.model.stock import Cause

SENTENCES: Mapping[str, Words] = {
    "SET_STOCK": Words(
        "総在庫数を{before}から{after}に変更しました。",
        "Set the total from {before} to {after}.",
    ),
    "ADJUST_STOCK": Words(
        "総在庫数を{before}から{after}に調整しました。",
        "Adjusted the total from {before} to {after}.",
    ),
    "COUNT_STOCK": Words(
        "棚卸数{counted}を入力しました（総在庫数{before}から{after}）。",
        "Counted {counted}: the total went from {before} to {after}.",
    ),
    "FETCH_INITIAL_ORDERS": Words(
        "店舗「{name}」の初期受注取得を始めました。",
        "Began to fetch the initial orders of {name}.",
    ),
    "TAKE_THEIRS": Words(
        "モールの在庫数に合わせ、総在庫数を{before}から{after}に調整しました。",
        "Took the mall's number: adjusted the total from {before} to {after}.",
    ),
    "READ_MALL_STOCK": Words(
        "モール在庫{count}件の読み取りを始めました。",
        "Began to read {count} numbers from the mall.",
    ),
    "CONNECT_SHOP": Words("店舗「{name}」を登録しました。", "Connected the shop {name}."),
    "UPDATE_SHOP": Words("店舗の設定を変更しました。", "Changed the shop's settings."),
    "UPDATE_ACCOUNT": Words("共通設定を変更しました。", "Changed the account's settings."),
    "SET_SHOPS_IN_USE": Words(
        "利用店舗設定で店舗「{name}」を変更しました。",
        "Changed whether the shop {name} is in use.",
    ),
    "DISCONNECT_SHOP": Words(
        "店舗「{name}」の連携を解除しました。", "Disconnected the shop {name}."
    ),
    "SAVE_CODE_MAPPINGS": Words(
        "別品番紐づけを変更しました（登録{saved}件、削除{deleted}件）。",
        "Changed the code table: {saved} lines saved, {deleted} deleted.",
    ),
    "TEST_CONNECTION": Words(
        "店舗「{name}」の接続テストを始めました。",
        "Began to test the shop {name}.",
    ),
    "START_CONSENT": Words(
        "店舗「{name}」のモール認可を始めました。",
        "Began to ask the mall's consent for the shop {name}.",
    ),
    "START_SYNC": Words("連動を開始しました。", "Started what runs by itself."),
    "STOP_SYNC": Words("連動を停止しました。", "Stopped what runs by itself."),
    "REFLECT": Words("反映を指示しました。", "Asked for its numbers to be sent."),
    "SAVE_FULL_SYNC_SCHEDULE": Words(
        "店舗「{name}」の一括同期スケジュールを保存しました（{at}）。",
        "Saved a full sync of the shop {name} at {at}.",
    ),
    "DELETE_FULL_SYNC_SCHEDULE": Words(
        "店舗「{name}」の一括同期スケジュールを削除しました（{at}）。",
        "Deleted the full sync of the shop {name} at {at}.",
    ),
    "FULL_SYNC": Words(
        "店舗「{name}」の全件同期を指示しました。",
        "Asked for all numbers of the shop {name} to be sent.",
    ),
    "LINK_LISTINGS": Words("出品を商品に紐づけました。", "Linked the listing to a product."),
    "UNLINK_LISTINGS": Words("出品の紐づけを解除しました。", "Took the listing off its product."),
    "SET_LIMITS": Words("下限・上限を変更しました。", "Changed the listing's limits."),
    "SET_SYNC": Words(
        "連携の設定を変更しました。", "Changed whether the listing's number is sent."
    ),
    "SET_FIELDS": Words("モール別項目を変更しました。", "Changed fields that travel with stock."),
    "ATTACH_LISTINGS": Words(
        "商品「{code}」を店舗「{shop}」の取り扱いに加えました。",
        "Attached the product {code} to the shop {shop}.",
    ),
    "DELETE_LISTINGS": Words("出品を削除しました。", "Deleted the listing."),
    "IMPORT_LISTINGS": Words(
        "出品を取り込みました（新規{created}件、更新{updated}件）。",
        "Imported listings: {created} new, {updated} changed.",
    ),
    "SAVE_PRODUCT": Words("商品を保存しました。", "Saved the product."),
    "DELETE_PRODUCTS": Words("商品「{code}」を削除しました。", "Deleted the product {code}."),
    "SAVE_SET": Words("セット商品の構成を保存しました。", "Saved the set and its parts."),
    "DELETE_SETS": Words(
        "セット商品「{code}」を単品に戻しました。", "Made the set {code} a single product."
    ),
    "SAVE_GROUP": Words(
        "確保在庫グループ「{name}」を保存しました（確保在庫{reserve}）。",
        "Saved the group {name}, which keeps back {reserve}.",
    ),
    "CANCEL_JOB": Words("ジョブを取り消しました。", "Called a job off."),
    "JOIN_GROUP": Words(
        "確保在庫グループ「{group}」に入れました。", "Put the product into the group {group}."
    ),
    "LEAVE_GROUP": Words(
        "確保在庫グループ「{group}」から外しました。", "Took the product out of the group {group}."
    ),
    "CLEAR_ERRORS": Words("エラーを削除しました。", "Cleared an error."),
    "RESYNC": Words(
        "データベースの復元または切り替えがあったため、全店舗の在庫を送り直し、{since}以降の受注を取り直します。"
        "それ以降に入力した変更は失われている可能性があります。ご確認ください。",
        "The database was restored or switched over: all shops' numbers are sent anew, and orders since {since} are read "
        "again. What was entered after that may be lost: please check.",
    ),
    "CREATE_ACCOUNT": Words("契約「{name}」を作成しました。", "Made the account {name}."),
    "CREATE_USER": Words("担当者「{name}」を追加しました。", "Added the person {name}."),
    "SAVE_USER": Words("担当者「{name}」を変更しました。", "Changed the person {name}."),
    "INVITE_USER": Words("担当者「{name}」を招待しました。", "Invited the person {name}."),
    "TAKE_UP_INVITATION": Words(
        "担当者「{name}」が招待からパスワードを設定しました。",
        "{name} chose a password by an invitation.",
    ),
    "CHANGE_PASSWORD": Words(
        "担当者「{name}」が自分のパスワードを変更しました。", "{name} changed their own password."
    ),
    "SET_PASSWORD": Words(
        "担当者「{name}」のパスワードを設定しました。", "Set the password of {name}."
    ),
    "CREATE_TOKEN": Words("APIトークン「{name}」を作成しました。", "Made the token {name}."),
    "REVOKE_TOKENS": Words("APIトークンを失効させました。", "Revoked a token."),
}
"""What was done, in Japanese and English; {names} are facts of the log's line."""


class _Given(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def operation_text(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    """The sentence of an operation; an action that has none is named as it is."""
    action, details = facts
    words = SENTENCES.get(action, Words(action, action))
    return words.of(chosen(arguments, locale)).format_map(_Given(details or {}))


@strawberry.type(description="操作ログ: what was done here.")
class OperationLog(Node):
    actor: Actor | None = field("Who did it.")
    action: str = field("What was done, as a stable word.")
    target: Node | None = field("What it was done to.")
    text = planned(str, "What was done, as a sentence.", LOCALE, made_by=operation_text)
    at: datetime = field("When.")
    reflected_at: datetime | None = field("When what was changed went out; null: not yet.")


@strawberry.type(description="売上ログ: units that an order took or gave back.")
class SalesLog(Node):
    shop: Shop = field("Where it was sold.")
    listing: Listing | None = field("What was sold; null: not known here.")
    product: Product | None = field("The product it belonged to.")
    order: Order = field("The order.")
    order_line: OrderLine | None = field(
        "The first line of the order that sold it; null once the mall dropped the line."
    )
    mall_code: str = field("The mall's code of what was sold.")
    units: int = field("Units; below 0: a cancel, on a line of its own.")
    at: datetime = field("When it was placed.")


@strawberry.type(description="モール更新ログ: one number that was sent to a mall.")
class MallUpdateLog(Node):
    shop: Shop = field("Where it was sent.")
    listing: Listing = field("What it was sent for.")
    push: Push | None = field(
        "The listing's push as it is by now. This line is one of its attempts, and says itself what became of it."
    )
    before: int | None = field("What we believed the mall showed; null: unknown.")
    after: int = field("What was sent.")
    state: PushState = field("What became of it.")
    sent_at: datetime = field("When it was sent.")
    applied_at: datetime | None = field("When the mall was known to show it.")
    mall_code: str | None = field("The mall's code for what went wrong.")
    mall_message: str | None = field("The mall's own words.")


@strawberry.input(
    description="Which lines of a log. One filter for all four: what a log does not know of is not asked of it."
)
class LogFilter:
    product_ids: list[strawberry.ID] | None = optional("Of these products.")
    shop_ids: list[strawberry.ID] | None = optional("Of these shops.")
    actor_ids: list[strawberry.ID] | None = optional("By these persons or tokens.")
    job_id: strawberry.ID | None = optional(
        "Operations that belong to this job: to a reflect, or to a bulk change."
    )
    text: str | None = optional("Words in the product's or the listing's code or name.")
    causes: list[Cause] | None = optional("Movements of these causes.")
    push_states: list[PushState] | None = optional("Mall updates of which this became.")
    from_: datetime | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="At or after."
    )
    until: datetime | None = optional("Before.")
