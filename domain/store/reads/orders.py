"""Orders as facts: what the malls sold, and what became of each line here."""

from domain.store.reads.filters import all_of, among, at_least, below, both_ways, matching
from domain.store.reads.models import (
    Many,
    Model,
    One,
    Paged,
    flag,
    moments,
    numbers,
    text,
    texts,
    word,
)

MALL_CODE = "concat_ws(':', {t}.item_code, nullif({t}.variant_code, ''))"
WITH_LINES = """EXISTS (SELECT 1 FROM order_lines w WHERE w.account_id = {account} AND w.order_id = {t}.id
    AND w.state = ANY (ARGUMENT))"""
WITH_PRODUCTS = """EXISTS (SELECT 1 FROM order_effects w WHERE w.account_id = {account} AND w.order_id = {t}.id
    AND w.product_id = ANY (ARGUMENT))"""

MOVEMENTS_OF_LINE = """{o}.order_id = {t}.order_id AND {o}.product_id IN (SELECT (p.taken ->> 0)::uuid
    FROM order_items i CROSS JOIN jsonb_array_elements(i.parts) p (taken)
    WHERE i.account_id = {account} AND i.order_id = {t}.order_id AND i.item_code = {t}.item_code
        AND i.variant_code = {t}.variant_code)"""

ORDER = Model(
    "Order",
    "orders {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        **texts("number"),
        **moments("placed_at", "fetched_at"),
        "status": word("{t}.status"),
        "baseline": flag("{t}.baseline"),
        "source": word("{t}.source"),
        "lines": Many("OrderLine", "{o}.order_id = {t}.id", order="{o}.position, {o}.id"),
        "movements": Many("StockMovement", "{o}.order_id = {t}.id", order="{o}.id"),
    },
)

ORDER_LINE = Model(
    "OrderLine",
    "order_lines {t}",
    {
        "order": One("Order", "{o}.id = {t}.order_id", key="{t}.order_id"),
        "listing": One("Listing", "{o}.id = {t}.listing_id AND {o}.deleted_at IS NULL"),
        "product": One(
            "Product",
            "{o}.id = {t}_link.product_id AND {o}.deleted_at IS NULL",
            needs=("link",),
        ),
        "mall_code": text(MALL_CODE),
        **numbers("quantity"),
        "state": word("{t}.state"),
        "movements": Many("StockMovement", MOVEMENTS_OF_LINE, order="{o}.id"),
    },
    joins={
        "link": "LEFT JOIN links {t}_link "
        "ON {t}_link.account_id = {account} AND {t}_link.listing_id = {t}.listing_id"
    },
)

ORDERS = Paged(
    "Order",
    {"PLACED_AT_DESC": both_ways("PLACED_AT", "{t}.placed_at", "timestamptz")["PLACED_AT_DESC"]},
    "true",
    {
        "filter": all_of(
            {
                "shop_ids": among("{t}.shop_id", "uuid"),
                "numbers": among("{t}.number", "text"),
                "states": matching(WITH_LINES, "text[]"),
                "product_ids": matching(WITH_PRODUCTS, "uuid[]"),
                "from": at_least("{t}.placed_at", "timestamptz"),
                "until": below("{t}.placed_at", "timestamptz"),
            }
        )
    },
)
