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
STANDS_ALREADY = Words("すでに停止しています。", "It is stopped already.")


def shop_actions(
    permissions: Collection[Permission],
    *,
    in_use: bool,
    orders: bool,
    reflect: bool,
    connected: bool = True,
) -> list[ShopAction]:
    """`orders` and `reflect`: the shop's two switches. With a shop that was given up nothing can be done."""
    if not connected:
        return [ShopAction(key, GIVEN_UP) for key in RIGHTS]
    return [
        ShopAction(
            key, NO_RIGHT if right not in permissions else _hindered(key, in_use, orders, reflect)
        )
        for key, right in RIGHTS.items()
    ]


def _hindered(key: ShopActionKey, in_use: bool, orders: bool, reflect: bool) -> Words | None:
    match key:
        case ShopActionKey.START if not in_use:
            return NOT_IN_USE
        case ShopActionKey.START if orders and reflect:
            return RUNS_ALREADY
        case ShopActionKey.STOP if not (orders or reflect):
            return STANDS_ALREADY
    return None
