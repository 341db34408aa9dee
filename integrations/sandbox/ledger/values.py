"""What the malls' books hold: shops, items, orders, writes; and the rules of a sale."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Shop:
    mall: str
    seller: str
    credentials: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return (self.mall, self.seller)


ItemKey = tuple[str, str]
"""Item code and variant code ("" where there is none), as the mall folds them."""


@dataclass(frozen=True, slots=True)
class Item:
    """`quantity` is the mall's counter, `shown` what it shows."""

    item_code: str
    variant_code: str
    name: str
    quantity: int
    shown: int
    attributes: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class NewItem:
    item_code: str
    variant_code: str = ""
    name: str = ""
    quantity: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class StockWrite:
    """A number sent to the mall. `quantity` None leaves the counter. `attributes` are merged, None removes a key."""

    key: ItemKey
    quantity: int | None
    relative: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """`ordered` is what was bought, `quantity` what is left of it after cuts. `lowered`: units taken off the counter."""

    item_code: str
    variant_code: str
    name: str
    ordered: int
    quantity: int
    lowered: int

    @property
    def key(self) -> ItemKey:
        return (self.item_code, self.variant_code)


@dataclass(frozen=True, slots=True)
class Order:
    """`status` is in the mall's own words; `open` turns false when it is cancelled."""

    number: str
    sequence: int
    placed_at: datetime
    visible_at: datetime
    updated_at: datetime
    status: str
    open: bool
    lines: tuple[OrderLine, ...]
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """One accepted number, as it was applied: `quantity` is the counter after it."""

    at: datetime
    source: str
    item_code: str
    variant_code: str
    mode: str
    sent: int | None
    quantity: int


class SoldOut(Exception):
    """The counter of this item is too low for the purchase; nothing was taken."""

    def __init__(self, key: ItemKey, quantity: int, wanted: int) -> None:
        super().__init__(f"{':'.join(key)} has {quantity} left, {wanted} wanted")
        self.key = key
        self.left = quantity


class Unknown(Exception):
    """No such shop, item or order."""


class SaleRules(Protocol):
    """What a mall does when an item is bought."""

    def sells(self, item: Item) -> bool:
        """Whether it sells the item at all."""

    def lowers(self, item: Item) -> bool:
        """Whether a sale lowers the counter (not where stock is unlimited)."""

    def oversells(self, item: Item) -> bool:
        """Whether the counter may go below zero."""
