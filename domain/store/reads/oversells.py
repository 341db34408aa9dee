"""在庫マイナス: what malls sold and nobody has."""

from domain.store.reads.filters import NEWEST_FIRST, holds
from domain.store.reads.models import (
    Many,
    Model,
    One,
    Paged,
    facts,
    moments,
    number,
    numbers,
    text,
    word,
)
from domain.store.reads.oversell_moments import TIMELINE

MOST_ORDERS = 500

UNSERVED = f"""(SELECT x.* FROM (
        SELECT l.*, w.placed_at, coalesce(sum(l.quantity * taken.count) OVER (ORDER BY w.placed_at DESC, l.id DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS later
        FROM (SELECT DISTINCT m.order_id FROM (SELECT n.order_id FROM stock_movements n
            WHERE n.account_id = {{account}} AND n.product_id = {{t}}.product_id AND n.cause = 'ORDER'
            ORDER BY n.id DESC LIMIT {MOST_ORDERS}) AS m) AS k
        JOIN orders w ON w.account_id = {{account}} AND w.id = k.order_id AND w.status = 'HOLDS'
        JOIN order_lines l ON l.account_id = {{account}} AND l.order_id = w.id AND l.state = 'APPLIED'
        JOIN order_items i ON i.account_id = {{account}} AND i.order_id = w.id AND i.item_code = l.item_code
            AND i.variant_code = l.variant_code
        CROSS JOIN LATERAL (SELECT sum((p.taken ->> 1)::int) AS count
            FROM jsonb_array_elements(CASE WHEN jsonb_typeof(i.parts) = 'array' THEN i.parts ELSE '[]' END) p (taken)
            WHERE (p.taken ->> 0)::uuid = {{t}}.product_id) AS taken
        WHERE taken.count > 0) AS x
    WHERE {{t}}.closed_at IS NULL AND x.later < (SELECT -p.total FROM products p
        WHERE p.account_id = {{account}} AND p.id = {{t}}.product_id)) {{o}}"""
"""From the latest order on, as many lines as hold what is missing; of the newest orders that took the product."""

SHOP_NAME = (
    "(SELECT s.name FROM shops s WHERE s.account_id = {{account}} AND s.id = {{t}}.{column})"
)

OVERSELL_INCIDENT = Model(
    "OversellIncident",
    "oversell_incidents {t}",
    {
        "product": One("Product", "{o}.id = {t}.product_id", key="{t}.product_id"),
        **moments("opened_at", "closed_at"),
        **numbers("units"),
        "cause": word("{t}.cause"),
        "text": facts(
            word("{t}.cause"),
            text(SHOP_NAME.format(column="shop_id")),
            text(SHOP_NAME.format(column="other_shop_id")),
            number("{t}.units"),
        ),
        "timeline": TIMELINE,
        "unserved_lines": Many(
            "OrderLine", "true", order="{o}.placed_at DESC, {o}.id DESC", source=UNSERVED
        ),
    },
)

OVERSELL_INCIDENTS = Paged(
    "OversellIncident", NEWEST_FIRST, "true", {"open": holds("{t}.closed_at IS NULL")}
)
