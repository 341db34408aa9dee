"""The ledger: why each total is what it is."""

from domain.store.reads.actors import actor
from domain.store.reads.filters import (
    NEWEST_FIRST,
    all_of,
    among,
    at_least,
    below,
    by_actor,
    searched,
)
from domain.store.reads.models import Model, One, Paged, moment, number, text, word

STOCK_MOVEMENT = Model(
    "StockMovement",
    "stock_movements {t}",
    {
        "product": One("Product", "{o}.id = {t}.product_id", key="{t}.product_id"),
        "cause": word("{t}.cause"),
        "reason": text("{t}.reason"),
        "change": number("{t}.delta"),
        "balance": number("{t}.balance_after"),
        "at": moment("{t}.recorded_at"),
        "effective_at": moment("{t}.effective_at"),
        "actor": actor(),
        "order": One("Order", "{o}.id = {t}.order_id", key="{t}.order_id"),
    },
)

STOCK_MOVEMENTS = Paged(
    "StockMovement",
    NEWEST_FIRST,
    "true",
    {
        "filter": all_of(
            {
                "product_ids": among("{t}.product_id", "uuid"),
                "shop_ids": among(
                    "(SELECT w.shop_id FROM orders w WHERE w.account_id = {account} AND w.id = {t}.order_id)",
                    "uuid",
                ),
                "actor_ids": by_actor(),
                "text": searched("{t}.product_id", "renkei_search_products(WORDS, NULL)"),
                "causes": among("{t}.cause", "text"),
                "from": at_least("{t}.recorded_at", "timestamptz"),
                "until": below("{t}.recorded_at", "timestamptz"),
            }
        )
    },
)
