"""店舗メニュー What this viewer may do with a shop now, and why not."""

from collections.abc import Mapping
from typing import Any

import strawberry

from api.fields import described, field, planned
from api.locales import LOCALE, worded
from domain.model import shop_actions
from domain.model.attaching import attaches
from domain.model.locales import Locale
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.roles import Permission
from domain.model.shop_actions import ShopActionKey

described(
    ShopActionKey,
    "What may be done with a shop.",
    CHECK="接続テスト: `testConnection`.",
    RENEW_CREDENTIALS="認証情報の更新: `updateShop`, and where the mall asks for it `startShopConsent`.",
    START="連動開始: `startSync`.",
    STOP="連動停止: `stopSync`.",
    FETCH_INITIAL_ORDERS="初期受注取得: `fetchInitialOrders`.",
    READ_MALL_STOCK="モール在庫の読み取り: `readMallStock`.",
    FULL_SYNC="全件同期: `startFullSync`.",
    ATTACH_PRODUCTS="一括更新（取り扱いショップ）: `attachListings`.",
    UNLINK_ALL="一括解除: `unlinkListings` with all of its listings.",
    DISCONNECT="連携解除: `disconnectShop`.",
)


def actions_of(facts: Any, _: Mapping[str, Any], __: Locale) -> list[shop_actions.ShopAction]:
    permissions, mall, match_key, in_use, orders, reflect, fetching, connected = facts
    return shop_actions.shop_actions(
        [Permission(each) for each in permissions],
        in_use=in_use,
        orders=orders,
        reflect=reflect,
        fetching=fetching,
        reads_stock=MALL_SPECS[MallKind(mall)].capabilities.reads_stock,
        attaches=attaches(MallKind(mall), match_key),
        connected=connected,
    )


@strawberry.type(description="店舗メニュー: an entry of a shop's menu.")
class ShopAction:
    key: ShopActionKey = field("Which.")
    enabled: bool = field("This viewer may do it now.")
    reason = planned(str | None, "Why not; null: it can be done.", LOCALE, made_by=worded("reason"))
