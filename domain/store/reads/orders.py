"""Orders as facts: what the malls sold, and what became of each line here."""

from domain.store.reads.filters import all_of, among, at_least, below, both_ways, matching
from domain.store.reads.listings import PUSH_EXISTS
from domain.store.reads.models import (
    Many,
    Model,
    One,
    Paged,
    flag,
    moment,
    moments,
    number,
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

PRODUCTS_OF_LINE = """(SELECT (p.taken ->> 0)::uuid
    FROM order_items i CROSS JOIN jsonb_array_elements(i.parts) p (taken)
    WHERE i.account_id = {account} AND i.order_id = {t}.order_id AND i.item_code = {t}.item_code
        AND i.variant_code = {t}.variant_code)"""
MOVEMENTS_OF_LINE = f"{{o}}.order_id = {{t}}.order_id AND {{o}}.product_id IN {PRODUCTS_OF_LINE}"
REACHED = f"""(SELECT r.*, a.state, a.quantity, a.sent_at, a.applied_at FROM (
        SELECT l.id AS listing_id, l.shop_id, min(m.recorded_at) AS taken_at FROM stock_movements m
        JOIN orders w ON w.account_id = {{account}} AND w.id = m.order_id
        CROSS JOIN LATERAL (SELECT m.product_id AS id UNION ALL SELECT sp.set_id FROM set_parts sp
            WHERE sp.account_id = {{account}} AND sp.part_id = m.product_id) AS s
        JOIN links k ON k.account_id = {{account}} AND k.product_id = s.id
        JOIN listings l ON l.account_id = {{account}} AND l.id = k.listing_id AND l.deleted_at IS NULL
            AND l.shop_id <> w.shop_id
        WHERE m.account_id = {{account}} AND m.order_id = {{t}}.order_id AND m.cause = 'ORDER'
            AND m.product_id IN {PRODUCTS_OF_LINE}
        GROUP BY l.id, l.shop_id) AS r
    LEFT JOIN LATERAL (SELECT p.* FROM pushes p
        WHERE p.account_id = {{account}} AND p.listing_id = r.listing_id AND p.sent_at >= r.taken_at
            AND p.waiting_at <= r.taken_at
        ORDER BY p.applied_at IS NULL, p.sent_at LIMIT 1) AS a ON true) {{o}}"""
"""Of the attempts that waited when the line was taken and were sent then: the first that was applied, else the first."""

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
        "reached": Many("ReachedShop", "true", order="{o}.shop_id, {o}.listing_id", source=REACHED),
    },
    joins={
        "link": "LEFT JOIN links {t}_link "
        "ON {t}_link.account_id = {account} AND {t}_link.listing_id = {t}.listing_id"
    },
)

REACHED_SHOP = Model(
    "ReachedShop",
    "",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "push": One("Push", f"{{o}}.listing_id = {{t}}.listing_id AND {PUSH_EXISTS}"),
        "state": word("{t}.state"),
        **numbers("quantity"),
        "sent_at": moment("{t}.sent_at"),
        "shown_at": moment("{t}.applied_at"),
        "seconds": number("round(extract(epoch FROM {t}.applied_at - {t}.taken_at), 3)::float8"),
    },
    account="true",
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
