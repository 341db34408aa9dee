"""The malls' own books: shops, items with their counters, orders, and what was written, in one SQLite file.

Every change is on disk before it is answered, so a killed sandbox comes back with the malls as they were.
Two numbers of an item differ for a while after a write: `quantity`, the counter that purchases lower, and the
*shown* number, which reads and storefronts show and which follows a write after the mall's display delay.
A write that the mall applies later (`apply_at`) touches the counter only then. Used by one event loop only.
"""

from integrations.sandbox.ledger.orders import Ledger
from integrations.sandbox.ledger.values import (
    Item,
    ItemKey,
    NewItem,
    Order,
    OrderLine,
    SaleRules,
    Shop,
    SoldOut,
    StockWrite,
    Unknown,
    Written,
)

__all__ = [
    "Item",
    "ItemKey",
    "Ledger",
    "NewItem",
    "Order",
    "OrderLine",
    "SaleRules",
    "Shop",
    "SoldOut",
    "StockWrite",
    "Unknown",
    "Written",
]
