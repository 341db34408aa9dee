"""店舗メニュー What may be done with a shop now, by whom, and why not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.model.locales import Words
from domain.model.roles import Permission


class ShopActionKey(StrEnum):
    CHECK = "CHECK"
    RENEW_CREDENTIALS = "RENEW_CREDENTIALS"
    START = "START"
    STOP = "STOP"
    FETCH_INITIAL_ORDERS = "FETCH_INITIAL_ORDERS"
    READ_MALL_STOCK = "READ_MALL_STOCK"
    FULL_SYNC = "FULL_SYNC"
    ATTACH_PRODUCTS = "ATTACH_PRODUCTS"
    UNLINK_ALL = "UNLINK_ALL"
    DISCONNECT = "DISCONNECT"


@dataclass(frozen=True, slots=True)
class ShopAction:
    """`reason`: why it cannot be done; None where it can."""

    key: ShopActionKey
    reason: Words | None

    @property
    def enabled(self) -> bool:
        return self.reason is None


RIGHTS: Mapping[ShopActionKey, Permission] = MappingProxyType(
    {
        ShopActionKey.CHECK: Permission.SHOPS,
        ShopActionKey.RENEW_CREDENTIALS: Permission.SHOPS,
        ShopActionKey.START: Permission.SYNC_SWITCH,
        ShopActionKey.STOP: Permission.SYNC_SWITCH,
        ShopActionKey.FETCH_INITIAL_ORDERS: Permission.SYNC_SWITCH,
        ShopActionKey.READ_MALL_STOCK: Permission.REFLECT,
        ShopActionKey.FULL_SYNC: Permission.REFLECT,
        ShopActionKey.ATTACH_PRODUCTS: Permission.CATALOGUE,
        ShopActionKey.UNLINK_ALL: Permission.CATALOGUE,
        ShopActionKey.DISCONNECT: Permission.SHOPS,
    }
)
NO_RIGHT = Words("この操作を行う権限がありません。", "You do not have the right to do this.")
NOT_IN_USE = Words(
    "利用する店舗に設定されていません。", "The shop is not in use: put it in use first."
)
RUNS_ALREADY = Words("すでに連動しています。", "It runs already.")
GIVEN_UP = Words("連携を解除した店舗です。", "The shop was disconnected.")
FETCHES_ALREADY = Words(
    "初期受注を取得しています。",
    "Its initial orders are being fetched: wait, or cancel that first.",
)
NOT_TOLD = Words(
    "このモールは表示中の在庫数を返しません。", "The mall does not tell what it shows."
)
REFLECT_OFF = Words(
    "在庫反映が止まっています。先に連動を開始してください。",
    "Its reflect is off, so nothing would be sent: start it first.",
)
OTHER_CODES = Words(
    "このモールでは商品コードだけで出品を特定できません。出品データを取り込んでください。",
    "Its pages have other codes than the products: import its listings.",
)
STANDS_ALREADY = Words("すでに停止しています。", "It is stopped already.")


NEED_USE = (
    ShopActionKey.START,
    ShopActionKey.FETCH_INITIAL_ORDERS,
    ShopActionKey.READ_MALL_STOCK,
    ShopActionKey.FULL_SYNC,
)


def shop_actions(
    permissions: Collection[Permission],
    *,
    in_use: bool,
    orders: bool,
    reflect: bool,
    fetching: bool = False,
    reads_stock: bool = True,
    attaches: bool = True,
    connected: bool = True,
) -> list[ShopAction]:
    """`orders` and `reflect`: the shop's two switches. `fetching`: its initial orders are under way. `reads_stock`: its
    mall tells what it shows. `attaches`: a product's code names a page of it. With a shop that was given up nothing can be done."""
    if not connected:
        return [ShopAction(key, GIVEN_UP) for key in RIGHTS]
    hindrances = dict(_hindrances(in_use, orders, reflect, fetching, reads_stock))
    if not attaches:
        hindrances[ShopActionKey.ATTACH_PRODUCTS] = OTHER_CODES
    return [
        ShopAction(key, hindrances.get(key) if right in permissions else NO_RIGHT)
        for key, right in RIGHTS.items()
    ]


def _hindrances(
    in_use: bool, orders: bool, reflect: bool, fetching: bool, reads_stock: bool
) -> Mapping[ShopActionKey, Words]:
    found = {
        ShopActionKey.START: RUNS_ALREADY if orders and reflect else None,
        ShopActionKey.STOP: None if orders or reflect else STANDS_ALREADY,
        ShopActionKey.FETCH_INITIAL_ORDERS: FETCHES_ALREADY if fetching else None,
        ShopActionKey.READ_MALL_STOCK: None if reads_stock else NOT_TOLD,
        ShopActionKey.FULL_SYNC: None if reflect else REFLECT_OFF,
    }
    if not in_use:
        found |= dict.fromkeys(NEED_USE, NOT_IN_USE)
    return {key: reason for key, reason in found.items() if reason is not None}
